"""Chooses from what a cloud offers: the only one that fits, or the one that the user picks."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from idr.errors import IdrError
from model.release_settings import Flavor

Ask = Callable[[str, list[str], str], str]
"""Asks the user to pick one of a list, saying why; raises ChoiceError where nobody can be asked."""


class ChoiceError(IdrError):
    """Something could not be chosen; the text says what, and what there is."""


def cannot_ask(option: str, candidates: list[str], why: str) -> str:
    """Without a terminal: raise the error that names the option to give."""
    msg = f"give --{option}: {why}: {', '.join(candidates) or 'none'}"
    raise ChoiceError(msg)


@dataclass(frozen=True)
class Kind:
    """What an option chooses: its name, and a pattern of names that fit, if there is one."""

    option: str
    what: str
    pattern: str = ""


IMAGE = Kind("image", "Debian 12 image", r"debian.*12|bookworm")
OMERO_IMAGE = Kind("omero-image", "Ubuntu 24.04 image", r"ubuntu.*24\.?04|noble")
EXTERNAL_NETWORK = Kind("external-network", "external network")


def name(kind: Kind, given: str | None, there: Collection[str], ask: Ask) -> str:
    """The one given, the only one that looks right, or the user's choice."""
    if given is not None:
        if given not in there:
            msg = f"--{kind.option} '{given}' does not exist (available: {', '.join(sorted(there)) or 'none'})"
            raise ChoiceError(msg)
        return given
    matching = sorted(one for one in there if re.search(kind.pattern, one, re.IGNORECASE))
    if len(matching) == 1:
        return matching[0]
    if matching:
        return ask(kind.option, matching, f"several look like the {kind.what}")
    return ask(kind.option, sorted(there), f"none looks like the {kind.what}; available")


def flavors(wanted: Mapping[str, Flavor], given: Mapping[str, str], there: Mapping[str, Flavor]) -> dict[str, str]:
    """For each flavor of the layout one of the cloud: the given one, or the smallest that has enough of everything."""
    wrong = [
        *(f"--flavor {asked}=...: the layout uses {', '.join(wanted)}" for asked in given if asked not in wanted),
        *(f"--flavor {a}={g}: this cloud has: {', '.join(sorted(there))}" for a, g in given.items() if g not in there),
    ]
    chosen = {}
    for asked, need in wanted.items():
        enough = [n for n, has in there.items() if has.vcpus >= need.vcpus and has.memory_mib >= need.memory_mib]
        if asked in given:
            chosen[asked] = given[asked]
        elif enough:
            chosen[asked] = min(enough, key=lambda n: (there[n].memory_mib, there[n].vcpus, n))
        else:
            wrong.append(
                f"no flavor has {need.vcpus} vCPU and {need.memory_mib} MiB for '{asked}'; "
                f"choose a smaller one with --flavor {asked}=NAME"
            )
    if wrong:
        raise ChoiceError("\n".join(wrong))
    return chosen
