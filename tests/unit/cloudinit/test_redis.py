"""A real Redis with a node's configuration: who may connect, and what OMERO.web may do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import redis, stacks

PLAN = stacks.plan_of("local")
RELEASE = PLAN.releases[0].name
SECRETS = stacks.secrets_of("local")
WEB = SECRETS.password(f"{RELEASE}/redis")
SESSION = ":1:django.contrib.sessions.cacheabc"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    with redis.running(tmp_path_factory.mktemp("redis"), PLAN) as running:
        yield running


def test_nobody_is_served_without_tls_or_without_a_password(server: redis.Redis) -> None:
    assert server.ask("ping", password=WEB) == "PONG"
    assert "PONG" not in server.ask("ping", password=WEB, tls=False)
    assert server.ask("get", SESSION) == "NOAUTH Authentication required."


def test_a_client_of_another_stack_does_not_trust_it(server: redis.Redis) -> None:
    authority = server.folder / "ca.crt"
    ours = authority.read_text()
    try:
        authority.write_text(stacks.secrets_of("ebi").authority.certificate)
        assert "certificate verify failed" in server.ask("ping", password=WEB)
    finally:
        authority.write_text(ours)


def test_omero_web_keeps_sessions(server: redis.Redis) -> None:
    ask = [("set", SESSION, "x", "px", "9000", "nx"), ("get", SESSION), ("exists", SESSION), ("del", SESSION)]
    assert [server.ask(*words, password=WEB) for words in ask] == ["OK", "x", "1", "1"]


@pytest.mark.parametrize(
    "words",
    [
        ("get", "another"),
        ("set", "another", "x"),
        ("eval", "return 1", "0"),
        ("keys", "*"),
        ("scan", "0"),
        ("flushdb",),
        ("flushall",),
        ("config", "get", "requirepass"),
        ("config", "set", "dir", "/etc"),
        ("acl", "list"),
        ("acl", "whoami"),
        ("client", "list"),
        ("monitor",),
        ("publish", "channel", "x"),
        ("replicaof", "192.0.2.1", "6379"),
        ("shutdown",),
        ("cluster", "info"),
        ("module", "list"),
    ],
)
def test_omero_web_may_do_nothing_else(server: redis.Redis, words: tuple[str, ...]) -> None:
    assert server.ask(*words, password=WEB).startswith("NOPERM")


def test_the_server_reads_a_renewed_certificate_without_a_restart(tmp_path: Path) -> None:
    operator = SECRETS.password(f"{RELEASE}/redis/operator")
    another = stacks.secrets_of("ebi").certificate("another", ("another",))
    with redis.running(tmp_path, PLAN) as server:
        file = server.folder / "server.crt"
        renew = ("--user", "operator", "config", "set", "tls-cert-file", str(file))
        file.write_text(another.certificate)
        assert "ERR" in server.ask(*renew, password=operator)
        (server.folder / "server.key").write_text(another.key)
        assert server.ask(*renew, password=operator) == "OK"
        assert "certificate verify failed" in server.ask("ping", password=WEB)
