"""A value of the stack file reaches the program that reads the rendered file unchanged."""

import dataclasses
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cloudinit import render, templates
from cloudinit.quoting import apt, shell
from harness import stacks
from model.plan import Plan
from model.planning import plan
from model.reading import SettingsError, Source, parse
from model.role_description import FOLDER

PASSWORDS = [
    *("pa$$word", "s3cr(t)&x", "$(id)", "`id`", "a'b", 'a"b'),
    *("a;b", "%20%s", "{x}", "!!", "~", "*"),
]
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
# An address cannot contain every text; the settings refuse the others.
SOME = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
SOURCE = Source("local", "Pulumi.local.yaml")


def planned(**values: Any) -> Plan:
    return plan(parse(stacks.values("local") | values, SOURCE), "local")


def bundle(stack_plan: Plan, number: int = 1) -> dict[str, dict[str, str]]:
    """Return the files of one node."""
    text = render.bundle(stack_plan.nodes[number], stack_plan, stacks.secrets_of("local"), {"db": "0" * 36})
    return {entry["path"]: entry for entry in json.loads(text)["files"]}


def of_bash(text: str, names: list[str], folder: Path) -> list[str]:
    """Return the variables of bash after it read this text as the roles' scripts do."""
    (folder / "env").write_text(text)
    shown = " ".join(f'"${name}"' for name in names)
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail; set -a; . {folder}/env; printf '%s\\0' {shown}"],
        capture_output=True,
        text=True,
        check=True,
        env={},
    )
    return done.stdout.split("\0")[:-1]


def of_apt(text: str, folder: Path) -> list[str]:
    """Return the two proxies of apt after it read this text."""
    (folder / "apt.conf").write_text(text)
    names = ["Acquire::http::Proxy", "Acquire::https::Proxy"]
    done = subprocess.run(
        ["apt-config", "-c", folder / "apt.conf", "dump", "--format", "%v%n", *names],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@SOME
@given(text=TEXT)
def test_bash_reads_a_word_as_it_was(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert of_bash(f"X={shell(text)}\n", ["X"], tmp_path_factory.mktemp("bash")) == [text]


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_proxys_password_reaches_bash_systemd_and_apt(password: str, tmp_path: Path) -> None:
    stack_plan = planned(proxies={"http": f"http://me:{password}@proxy.example.org:3128"})
    files = bundle(stack_plan)
    address = str(stack_plan.settings.proxies.http)
    assert address.endswith("@proxy.example.org:3128/")
    env = files["/etc/idr/node.env"]["content"]
    assert of_bash(env, ["http_proxy", "https_proxy"], tmp_path) == [address, address]
    # systemd.exec(5): quotes as in a shell, no expansion.
    read = dict(word.split("=", 1) for word in shlex.split(env, comments=True) if "=" in word)
    assert read["http_proxy"] == address
    assert of_apt(files["/etc/apt/apt.conf.d/90cloud-init-aptproxy"]["content"], tmp_path) == [address, address]


def test_a_password_that_no_address_can_have_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        planned(proxies={"http": "http://me:hun\\ter2@proxy.example.org:3128"})
    assert "ter2" not in str(refused.value)


@SOME
@given(user=TEXT, password=TEXT)
def test_any_proxy_that_is_accepted_is_read_back(
    user: str, password: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    try:
        stack_plan = planned(proxies={"http": f"http://{user}:{password}@proxy.example.org:3128"})
    except SettingsError:
        assume(False)
    folder, address = tmp_path_factory.mktemp("proxy"), str(stack_plan.settings.proxies.http)
    template = templates.environment(FOLDER).get_template("common/files/etc/idr/node.env.j2")
    text = template.render(proxies=stack_plan.settings.proxies, node=stack_plan.nodes[1])
    assert of_bash(text, ["http_proxy"], folder) == [address]
    assert (
        of_apt(f"Acquire::http::Proxy {apt(address)};\nAcquire::https::Proxy {apt(address)};\n", folder)[0] == address
    )


def test_a_file_with_a_proxys_password_is_for_root_only() -> None:
    open_ = bundle(planned(proxies={"http": "http://proxy.example.org:3128"}))
    closed = bundle(planned(proxies={"packages": "http://me:secret@proxy.example.org:3128"}))
    assert open_["/etc/apt/apt.conf.d/90cloud-init-aptproxy"]["mode"] == "0644"
    for path, entry in closed.items():
        if "me:secret@" in entry["content"]:
            assert entry["mode"] == "0600", path


@pytest.mark.parametrize("value", ['a"b', "a\nb"])
def test_what_apt_cannot_read_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"apt\.conf"):
        apt(value)


def test_every_value_of_free_text_in_a_file_that_a_shell_reads_is_quoted() -> None:
    free = re.compile(r"{{[^}]*(proxies\.\w+|acme\.(directory|email))[^}]*}}")
    for template in sorted(FOLDER.rglob("*.j2")):
        for use in free.finditer(template.read_text()):
            quoted = ("| shell", "| apt", "proxies.direct")
            assert any(one in use[0] for one in quoted), f"{template.name}: {use[0]}"


def test_a_volume_that_should_hold_something_is_never_formatted() -> None:
    stack_plan = planned()
    node = stack_plan.nodes[1]
    (volume,) = node.volumes
    lines = {}
    for origin in ({}, {"existing": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}, {"source": object()}):
        changed = dataclasses.replace(node, volumes=(dataclasses.replace(volume, **origin),))
        template = templates.environment(FOLDER).get_template("common/files/etc/idr/volumes.j2")
        text = template.render(node=changed, volume_ids={"db": "0" * 36})
        lines[next(iter(origin), "new")] = text.splitlines()[-1].split()[-1]
    assert lines == {"new": "new", "existing": "kept", "source": "kept"}
