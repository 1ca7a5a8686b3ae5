"""The Content-Security-Policy of the proxy's pages: what a browser may load and run there."""

from collections.abc import Iterable, Mapping
from typing import Final

from model.web_apps import App

# OMERO.web's pages have inline scripts and styles, and its libraries use eval.
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
    """Return the policy of a release with these applications: nothing from other sites except what they need."""
    policy = dict(_OWN)
    for app in apps:
        for directive, sites in app.origins.items():
            policy[directive] = (*policy.get(directive, _OWN["default-src"]), *sites)
    return "; ".join(f"{directive} {' '.join(sources)}" for directive, sources in policy.items())
