"""What a browser may load and run on the pages that the proxy serves: their Content-Security-Policy."""

from collections.abc import Iterable, Mapping
from typing import Final

from model.web_apps import App

# OMERO.web's pages have scripts and styles of their own inside them, and its libraries use eval.
_OWN: Final[Mapping[str, tuple[str, ...]]] = {
    "default-src": ("'self'",),
    "script-src": ("'self'", "'unsafe-inline'", "'unsafe-eval'"),
    "style-src": ("'self'", "'unsafe-inline'"),
    "img-src": ("'self'", "data:", "blob:"),
    "font-src": ("'self'", "data:"),
    "worker-src": ("'self'", "blob:"),
    "object-src": ("'none'",),
    "base-uri": ("'self'",),
    "form-action": ("'self'",),
}


def of(apps: Iterable[App]) -> str:
    """The policy of a release that serves these applications: nothing from other sites but what theirs need."""
    policy = dict(_OWN)
    for app in apps:
        for directive, sites in app.origins.items():
            policy[directive] = (*policy.get(directive, _OWN["default-src"]), *sites)
    return "; ".join(f"{directive} {' '.join(sources)}" for directive, sources in policy.items())
