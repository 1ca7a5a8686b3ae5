"""Check that every part of a running cloud works."""

import json
import os
from dataclasses import asdict, dataclass

from dev.cloud import layout, seed
from dev.cloud.control import running
from dev.cloud.layout import State
from dev.cloud.process import listening


@dataclass(frozen=True)
class Part:
    """A part of the cloud, and whether it works."""

    name: str
    works: bool
    note: str = ""


def parts(state: State) -> list[Part]:
    """Return every service, API, agent and compute; only one failed part if the cloud is not up."""
    if running(state) is None:
        return [Part("cloud", False, "not up")]
    if not (state.run / "ready").exists():
        return [Part("cloud", False, "not ready yet")]
    parts = []
    for name, known in json.loads((state.run / "services.json").read_text()).items():
        note = f"started again {known['restarts']} times" if known["restarts"] else ""
        parts.append(Part(name, known["alive"], note))
    answers = {name: listening(port) for name, port in layout.PORTS.items()}
    parts += [Part(f"API {name}", answers[name], layout.URLS[name]) for name in answers]
    if all(answers.values()):
        parts += _inside(state)
    return parts


def _inside(state: State) -> list[Part]:
    import openstack

    choice = state.choice()
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(state.clouds_yaml)
    cloud = openstack.connect(cloud="idr-local-admin")
    lacking = seed.missing(cloud, choice, state.started()) if choice else []
    return [Part(name, False, "down or unknown") for name in lacking] or [Part("agents and computes", True)]


def as_json(parts: list[Part]) -> str:
    """Format the parts as JSON."""
    return json.dumps({"works": all(part.works for part in parts), "parts": [asdict(part) for part in parts]}, indent=1)
