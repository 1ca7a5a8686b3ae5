"""Mutations of the shipped stack files: each is refused with a message, or leads to a plan that makes sense.

`python -m tests.mutations --count 12000` is the long run; tests/unit/model/test_mutations.py runs a sample of it.

12,000 take nine minutes of one processor.
"""

import argparse
import copy
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from harness import rendered, stacks
from idr import stack_file
from idr.errors import IdrError
from model.reading import SettingsError
from model.secrets import Secrets
from tests import nonsense

Path_ = tuple[Any, ...]

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 10**5, 10**30, 1e30, 1.5, float("nan"), float("inf"), [], {}, ""),
    *(
        " ",
        "x" * 300,
        "a\nb",
        "a\0b",
        "\u202e",
        "\u2028",
        "\ufeff",
        "\U0001f600",
        "\u00e4",
        "e\u0301",
        "a\tb",
        "a\x85b",
    ),
    *("$(id)", "`id`", "';--", '"', "\\", "{{ 1 }}", "%s", "#", "[EOL] Debian 12", "{x}", "-x", "~", "*", "..", "/"),
    *("no", "12:48", "2024-01-13", "0777", "127.0.0.1", "127.0.0.0/8", "169.254.0.0/16"),
    *("0.0.0.0", "224.0.0.0/4"),  # noqa: S104  # nothing is bound
    *("8.8.8.0/24", "0.0.0.0/0", "10.0.0.0/8", "10.130.1.0/24", "10.130.1.20", "::1", "fd00::/64", "255.255.255.255"),
    *("bastion", "localhost", "proxy", "database", "all", "demo1", "prod130", "redis", "omero", "hosts", "demo1-web"),
    *(
        "/etc",
        "/data/OMERO",
        "/uod/../etc",
        "/",
        "relative",
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "ssh-ed25519 hello",
    ),
    *("http://me:pa$$word@p:3128", "ftp://x", "https://", "a" * 64, "a" * 64 + ".example.org", "a..b", "-a.b", "A.B"),
]
"""The values that replace another one."""

NAMES = ("root", "idr", "-x", "a b", "a\n", "a" * 40)
PEOPLE: list[Any] = [
    *(
        [{"name": "alice", "keys": [stacks.NEW_OPERATOR], "role": role}]
        for role in ("operator", "curator", "jump", None)
    ),
    *([{"name": name, "keys": [stacks.NEW_OPERATOR], "role": "jump"}] for name in NAMES),
]
"""People with accounts of their own, and values that are no such people."""

APPS: list[Any] = [["gallery"], ["mapr", "iviewer", "figure"], [], None, "gallery", ["x"], [[]]]
HEADERS: list[Any] = [{"X-A": "$host"}, {"X-A": 'a"b\\'}, {"X-A": 1}, {"a b": "c"}, []]
BUCKET_SECRETS: list[Any] = ["plain", "", None, 7, {"secure": "v1:x"}, []]
BUCKET: dict[str, Any] = {"bucket": "zarr", "endpoint": "https://s3.example.org", "mount": "/uod/zarr"}

ADDED: dict[str, list[Any]] = {
    "operators": [["ssh-ed25519 hello"], ["-----BEGIN OPENSSH PRIVATE KEY-----"], [stacks.NEW_OPERATOR], "x", *PEOPLE],
    "rotations": [{"password/demo1/redsi": 2}, {"ca": 2}, {"ca": 10**30}, {"": 1}],
    "storageGroup": ["proxy", "demo1", "prod130-web", "bastion-hosts", "idr-storage", "data"],
    "dnsServers": [["0.0.0.0"], ["127.0.0.1"], ["192.0.2.1"], ["224.0.0.1"], ["10.130.1.20"]],  # noqa: S104  # nothing is bound
    "timeServers": [["localhost"], ["ntp.example.org"], ["1.2.3"], ["a b"]],
    "floatingIps": [{"public": "192.0.2.1", "bastion": "192.0.2.1"}, {"public": "127.0.0.1"}, {"public": "192.0.2.1"}],
    "hostName": ["a" * 63 + "." + "b" * 63 + ".example.org", "x" * 64, "1.2.3.4", "localhost", "a..b"],
    "proxies": [{"http": "http://me:s3cr(t)&x@p:3128"}, {"http": "http://me:'\"@p:1"}, {"packages": "http://[::1]:1"}],
    "nfsMounts": [
        *([{"source": "nfs:/uod", "mount": path}] for path in ("/etc", "/data/OMERO", "/uod", "/uod/../etc", "/opt")),
        [{"source": "nfs:/a", "mount": "/uod"}, {"source": "nfs:/b", "mount": "/uod/b"}],
    ],
    "storage": [
        [{"kind": "nfs", "source": "nfs:/uod", "mount": "/etc"}],
        *([{"kind": kind}] for kind in ("nfs", "path", "links", "", None, 7)),
        *([{"kind": "path", "mount": path}] for path in ("/", "/uod/..", "/a b", "/etc")),
        *(
            [{"kind": "links", "mount": "/uod", "links": links}]
            for links in ({}, {"a": "/uod"}, {"..": "/b"}, {"a": 7})
        ),
    ],
    "storageNetwork": [{"name": "x", "cidr": "127.0.0.0/8"}, {"name": "x", "cidr": "192.0.2.0/24"}],
    "keypair": ["[x]", "{x}", "\u00e4", "a\nb"],
    "router": ["[x", "null", "~", "12:48"],
    "configure": [False, "no", 0],
    "acme": [{}, {"email": "a@b"}, {"directory": "https://x/~a"}, {"authority": "PEM"}],
    "overrides": ["", "nothing.yaml", ".", [1], "a\0b"],
    "visitors": ["login", "public", "Login", None, True, []],
    "web": [{"apps": apps} for apps in APPS],
    "redirects": [
        *([{"from": path, "to": "/webclient/"}] for path in ("/", "/iviewer/", "^/(", "/a?b", "^/a\\?b=(1)$", "/a b")),
        [{"from": "/", "to": "/about/"}, {"from": "/about/", "to": "/"}],
    ],
    "s3Mounts": [
        *([BUCKET | {key: value}] for key, value in (("mount", "/uod"), ("mount", "/etc"), ("bucket", "a/../b"))),
        *([BUCKET | {"secretKey": value}] for value in BUCKET_SECRETS),
        [BUCKET, BUCKET],
        [BUCKET | {"accessKey": "a", "secretKey": {"secure": "v1:x"}}],
    ],
    "site": [
        *(
            {"pages": {"url": "https://a.example.org/a.tgz", "path": path}}
            for path in ("/a/", "/", "/webclient/", "//")
        ),
        *({"headers": headers} for headers in HEADERS),
        *({"robots": text} for text in ("", "a", "a\tb", 7)),
        *({"locations": folder} for folder in ("", ".", "nothing", "docs", 7)),
        {"name": "{{ 1 }}", "contact": "a@b"},
    ],
    "omero": [{"distribution": "demo", "jars": [{"url": "https://a.example.org/a.jar"}]}, {"addons": "nothing.lock"}],
}
"""Settings that are added at the top."""


def paths_in(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Return the paths to all values in nested data."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths_in(inner, (*path, key))


def _parent(document: Any, path: Path_) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


def replaced(document: Any, chance: random.Random) -> None:
    """Replace a value by another, of any kind."""
    path = chance.choice(list(paths_in(document)))
    _parent(document, path)[path[-1]] = copy.deepcopy(chance.choice(VALUES))


def removed(document: Any, chance: random.Random) -> None:
    """Remove a value."""
    path = chance.choice(list(paths_in(document)))
    del _parent(document, path)[path[-1]]


def renamed(document: Any, chance: random.Random) -> None:
    """Rename a key, also to a name that is no text."""
    paths = [path for path in paths_in(document) if isinstance(path[-1], str)]
    path = chance.choice(paths)
    parent = _parent(document, path)
    value = parent.pop(path[-1])
    simple = [one for one in VALUES if one is None or isinstance(one, str | int | float)]
    parent[chance.choice([*simple, f"{path[-1]}x", path[-1].upper(), path[-1][:-1]])] = value


def copied(document: Any, chance: random.Random) -> None:
    """Copy the value of one key to another."""
    paths = list(paths_in(document))
    source, target = chance.choice(paths), chance.choice(paths)
    value = copy.deepcopy(_parent(document, source)[source[-1]])
    _parent(document, target)[target[-1]] = value


def repeated(document: Any, chance: random.Random) -> None:
    """Repeat a part of the file, the second time under another name."""
    paths = [path for path in paths_in(document) if isinstance(path[-1], str)]
    path = chance.choice(paths)
    parent = _parent(document, path)
    parent[chance.choice([f"{path[-1]}2", "bastion", "proxy", "localhost", "x"])] = copy.deepcopy(parent[path[-1]])


def added(document: Any, chance: random.Random) -> None:
    """Add a setting."""
    key = chance.choice(list(ADDED))
    document.setdefault("config", {})[f"idr:{key}"] = copy.deepcopy(chance.choice(ADDED[key]))


def numbers(document: Any, chance: random.Random) -> None:
    """Replace a number by an extreme one."""
    paths = [path for path in paths_in(document) if type(_parent(document, path)[path[-1]]) is int]
    if paths:
        path = chance.choice(paths)
        extremes = [0, 1, -1, 2**31, 2**63, 2**64, 10**30, 0.5, "1", "1e3", True, 511, 512, 1000, 1001]
        _parent(document, path)[path[-1]] = chance.choice(extremes)


STRUCTURAL: list[Callable[[Any, random.Random], None]] = [replaced, removed, renamed, copied, repeated, added, numbers]


def damaged(text: str, chance: random.Random) -> bytes:
    """Return the text with a few characters fewer, more or exchanged, or in another encoding."""
    encoding = chance.choice(["utf-8"] * 8 + ["latin-1", "utf-16", "utf-8-sig"])
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(text))
        end = min(len(text), start + chance.choice([0, 1, 1, 5, 40]))
        insertions = ["", *"\t:-#&*!|>'\"{}[]%@`,?\0\u00e4\ud800", "\n", "---\n", "&a ", "*a", "<<: ", "!!int ", "  "]
        text = text[:start] + chance.choice(insertions) + text[end:]
    return text.encode(encoding, "surrogatepass" if encoding == "utf-8" else "replace")


def mutation(number: int, seed: int) -> tuple[str, bytes]:
    """Return the `number`-th mutated file: the name of its stack, and its bytes."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311  # to be repeated, not to be secret
    layout = chance.choice(list(stacks.LAYOUTS))
    text = stacks.LAYOUTS[layout].read_text()
    if chance.random() < 0.25:
        return layout, damaged(text, chance)
    document = yaml.safe_load(text)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        change = chance.choice(STRUCTURAL)
        if isinstance(document, dict) and list(paths_in(document)):
            try:
                change(document, chance)
            except (TypeError, KeyError, IndexError):
                continue  # the key was removed
    return layout, yaml.safe_dump(document, sort_keys=False, allow_unicode=chance.random() < 0.5).encode(
        "utf-8", "surrogatepass"
    )


def outcome(layout: str, data: bytes, folder: Path) -> tuple[str, str]:
    """Return the outcome of a mutated file, `refused`, `accepted`, `nonsense` or `exception`, and the messages."""
    (folder / f"Pulumi.{layout}.yaml").write_bytes(data)
    try:
        file = stack_file.read(layout, folder)
        texts = rendered.texts(file.plan, Secrets(layout, "a stack secret for tests"))
    except (IdrError, SettingsError) as error:
        return (
            ("refused", str(error)) if str(error).startswith(("Pulumi.", "nothing.yaml")) else ("message", str(error))
        )
    except Exception:  # noqa: BLE001  # the tester's very subject
        return "exception", traceback.format_exc()
    problems = list(nonsense.of_plan(file.plan, texts))
    return ("nonsense", "\n".join(problems)) if problems else ("accepted", "")


def run(count: int, seed: int = 1) -> tuple[Counter[str], list[str]]:
    """Return the outcomes of `count` mutations, and a text for each wrong one."""
    outcomes: Counter[str] = Counter()
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        for number in range(count):
            layout, data = mutation(number, seed)
            what, message = outcome(layout, data, Path(name))
            outcomes[what] += 1
            if what not in ("refused", "accepted"):
                wrong.append(f"--- {number} of seed {seed}, {layout}: {what}\n{message}")
                sys.stderr.write(f"{wrong[-1]}\n")
    return outcomes, wrong


def main() -> None:
    """Run, and end with 1 when an outcome is wrong."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=12_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    outcomes, wrong = run(given.count, given.seed)
    sys.stdout.write(f"{dict(outcomes)}\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
