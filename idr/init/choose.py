"""Choose from what a cloud offers: the only object that fits, or the one that the user picks."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from idr.errors import IdrError
from model.release_settings import Flavor

Prompt = Callable[[str, list[str], str], str]
"""Prompts the user to pick one of a list, with the reason. Raises ChoiceError without a terminal."""


class ChoiceError(IdrError):
    """Nothing could be chosen; the text says for which option, and what is available."""


def refuse_to_prompt(option: str, candidates: list[str], why: str) -> str:
    """Raise the error that names the option, because there is no terminal."""
    msg = f"give --{option}: {why}: {', '.join(candidates) or 'none'}"
    raise ChoiceError(msg)


@dataclass(frozen=True)
class Kind:
    """An option of this kind: its name, its description, and a pattern of names that fit."""

    option: str
    what: str
    pattern: str = ""


IMAGE = Kind("image", "Debian 12 image", r"debian.*12|bookworm")
OMERO_IMAGE = Kind("omero-image", "Ubuntu 24.04 image", r"ubuntu.*24\.?04|noble")
EXTERNAL_NETWORK = Kind("external-network", "external network")


def name(kind: Kind, option: str | None, available: Collection[str], prompt: Prompt) -> str:
    """Return the value of the option, the only name that fits, or the user's choice."""
    if option is not None:
        if option not in available:
            msg = f"--{kind.option} '{option}' does not exist (available: {', '.join(sorted(available)) or 'none'})"
            raise ChoiceError(msg)
        return option
    matching = sorted(one for one in available if re.search(kind.pattern, one, re.IGNORECASE))
    if len(matching) == 1:
        return matching[0]
    if matching:
        return prompt(kind.option, matching, f"several look like the {kind.what}")
    return prompt(kind.option, sorted(available), f"none looks like the {kind.what}; available")


def flavors(needs: Mapping[str, Flavor], options: Mapping[str, str], available: Mapping[str, Flavor]) -> dict[str, str]:
    """Choose for each flavor of the layout one of the cloud: by option, or the smallest that is large enough."""
    wrong = [
        *(f"--flavor {flavor}=...: the layout uses {', '.join(needs)}" for flavor in options if flavor not in needs),
        *(
            f"--flavor {flavor}={name}: this cloud has: {', '.join(sorted(available))}"
            for flavor, name in options.items()
            if name not in available
        ),
    ]
    chosen = {}
    for flavor, need in needs.items():
        enough = [n for n, has in available.items() if has.vcpus >= need.vcpus and has.memory_mib >= need.memory_mib]
        if flavor in options:
            chosen[flavor] = options[flavor]
        elif enough:
            chosen[flavor] = min(enough, key=lambda n: (available[n].memory_mib, available[n].vcpus, n))
        else:
            wrong.append(
                f"no flavor has {need.vcpus} vCPU and {need.memory_mib} MiB for '{flavor}'; "
                f"choose a smaller one with --flavor {flavor}=NAME"
            )
    if wrong:
        raise ChoiceError("\n".join(wrong))
    return chosen
