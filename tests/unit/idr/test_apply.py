"""`idr apply`: the arguments for the engine, and the message for a wrong name."""

import json

import pytest
from typer.testing import CliRunner

from idr import engine
from idr.__main__ import app
from idr.commands.apply import ApplyError, configuration
from idr.state import of_export

URN = "urn:pulumi:local::idr::idr:configuration:Configuration$command:remote:Command::demo1-redis"
SERVERS = [
    {"urn": f"urn:pulumi:local::idr::openstack:compute/instance:Instance::{name}", "id": name}
    for name in ("demo1-redis", "demo1-proxy")
]
EXPORT = {
    "deployment": {
        "resources": [
            *({**one, "type": "openstack:compute/instance:Instance"} for one in SERVERS),
            {"urn": URN, "type": "command:remote:Command", "id": "c"},
        ]
    }
}


def test_only_the_configuration_of_that_node_is_applied_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, ...]] = []

    def run(*arguments: str) -> str:
        calls.append(arguments)
        return json.dumps(EXPORT)

    monkeypatch.setattr(engine, "run", run)
    done = CliRunner().invoke(app, ["apply", "demo1-redis", "--stack", "local"])
    assert (done.exit_code, done.stdout) == (0, "demo1-redis: configured; its roles are healthy\n")
    assert calls[-1][0] == "up"
    assert calls[-1][-4:] == ("--target-replace", URN, "--stack", "local")


def test_a_short_name_is_a_node_of_the_live_release() -> None:
    stack = {
        "urn": "urn:pulumi:local::idr::pulumi:pulumi:Stack::idr-local",
        "type": "pulumi:pulumi:Stack",
        "outputs": {"topology": {"live": "demo1"}},
    }
    export = {"deployment": {"resources": [stack, *EXPORT["deployment"]["resources"]]}}
    assert configuration(of_export(export), "local", "redis") == URN
    with pytest.raises(ApplyError, match="proxy was never configured"):
        configuration(of_export(export), "local", "proxy")


def test_a_stack_that_is_not_deployed_has_no_nodes() -> None:
    with pytest.raises(ApplyError, match=r"^stack 'local' has no nodes yet; run: pulumi up -s local$"):
        configuration(of_export({"deployment": {"resources": []}}), "local", "proxy")


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("demo1-proxy", "was never configured; run: pulumi up -s local"),
        ("redis", "there are: demo1-proxy, demo1-redis"),
    ],
)
def test_a_node_without_configuration_and_a_wrong_name_are_distinguished(node: str, message: str) -> None:
    with pytest.raises(ApplyError, match=message):
        configuration(of_export(EXPORT), "local", node)
