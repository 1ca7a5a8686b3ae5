"""The stack's settings and secrets, from the engine."""

from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

from model import people
from model.overrides_file import with_overrides
from model.reading import SettingsError, Source, as_written, notices, own_values, parse, unset
from model.secrets import Secrets, of_settings
from model.settings import Settings

PREVIEW_SECRET = "no stack secret is set: only for looking at a preview"  # noqa: S105  # a stand-in that opens nothing


def load() -> tuple[Settings, Secrets]:
    """Load the stack's settings and secrets.

    Raises RunError, which the engine shows without a traceback, for mistakes in the settings, and in an update for
    required settings that are not set yet.
    """
    stack = pulumi.get_stack()
    source = Source(stack, f"Pulumi.{stack}.yaml", encrypted=_encrypted())
    try:
        settings = parse(*with_overrides(_values(), source, Path.cwd()))
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    if missing := unset(settings, source.file):
        text = "\n".join(missing)
        if not pulumi.runtime.is_dry_run():
            raise pulumi.RunError(text)
        pulumi.log.warn(text)
    for text in notices(settings, source.file):
        pulumi.log.warn(text)
    if not (settings.configure or people.root_keys(settings.operators) or settings.keypair):
        pulumi.log.warn(f"{source.file}: idr:operators: has no operator and idr:configure is false: nobody can log in")
    secret = settings.stack_secret.get_secret_value() if settings.stack_secret else PREVIEW_SECRET
    return settings, of_settings(settings, stack, secret)


def _values() -> dict[str, Any]:
    # pulumi.Config has no list of keys, and an unknown key must be refused.
    return as_written(own_values({**get_config_env(), **CONFIG.get()}))


def _encrypted() -> frozenset[str]:
    return frozenset(own_values({key: value for key, value in CONFIG.get().items() if is_config_secret(key)}))
