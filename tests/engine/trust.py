"""Certificates of a fake cloud and of its clients, and the settings that make a client trust them."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import self_signed
from tests.engine.clients import both
from tests.engine.ways import OPENRC, PROJECT, USER, Way, at, auth, cloud
from tests.fake_cloud.cloud import FakeCloud

TRUST = {
    "not trusted": Way(at(), OPENRC),
    "insecure": Way(at(insecure="true"), OPENRC),
    "insecure in a variable": Way(at(), {**OPENRC, "OS_INSECURE": "true"}),
    "file": Way(at(cacertFile="FOLDER/own.pem"), OPENRC),
    "file in a variable": Way(at(), {**OPENRC, "OS_CACERT": "FOLDER/own.pem"}),
    "the certificate itself": Way(at(cacertFile="CONTENT own.pem"), OPENRC),
    "a file that is not there": Way(at(cacertFile="FOLDER/none.pem"), OPENRC),
    "trusted by the system": Way(at(), {**OPENRC, "SSL_CERT_FILE": "FOLDER/own.pem"}),
    "clouds.yaml": cloud({**auth(**USER, **PROJECT), "region_name": "one", "cacert": "FOLDER/own.pem"}),
    "clouds.yaml, not verified": cloud({**auth(**USER, **PROJECT), "region_name": "one", "verify": False}),
    "clouds.yaml, verified after all": cloud(
        {**auth(**USER, **PROJECT), "region_name": "one", "verify": False}, OS_INSECURE="false"
    ),
}
UNTRUSTED = {"not trusted", "a file that is not there", "clouds.yaml, verified after all"}
ONE_OF_EACH = [
    *((name, False, False) for name in ("not trusted", "insecure", "the certificate itself", "clouds.yaml")),
    *(("file", wants_client, with_client) for wants_client in (False, True) for with_client in (False, True)),
]
"""For the quick tests: settings, whether the cloud asks for a client's certificate, and whether it gets one."""
CLIENT = {"cert": "FOLDER/own.pem", "key": "FOLDER/own.key"}


@contextmanager
def secure(folder: Path, *, wants_client: bool) -> Iterator[FakeCloud]:
    """Start a cloud that speaks TLS, with a certificate of its own. It can also ask for its client's certificate.

    `folder` then has its `own.pem` and `own.key`.
    """
    self_signed.write(folder / "own.pem", folder / "own.key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem", folder / "own.key")
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "own.pem")
    with FakeCloud(tls=context) as started:
        yield started


def trust_alike(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *, wants_client: bool, with_client: bool
) -> None:
    """Check that engine and `idr` both reach a cloud with its own certificate, or neither, as the table expects."""
    certificates = folder / "certificates"
    certificates.mkdir()
    with secure(certificates, wants_client=wants_client) as server:
        way = with_paths(TRUST[name], certificates, **(CLIENT if with_client else {}))
        provider, idr = both(way, server, folder, monkeypatch)
    reached = name not in UNTRUSTED and (with_client or not wants_client)
    assert bool(provider.network) is reached, provider.message
    assert (idr.logins, idr.asked, idr.network) == (provider.logins, provider.asked, provider.network), idr.message


def with_paths(way: Way, folder: Path, **settings: str) -> Way:
    """Return the settings with paths in the folder, or the content of its files, and with more settings."""

    def put(value: str) -> str:
        if value.startswith("CONTENT "):
            return (folder / value.removeprefix("CONTENT ")).read_text()
        return value.replace("FOLDER", str(folder))

    entry = json.loads(json.dumps(way.entry).replace("FOLDER", str(folder)))
    variables = {name: put(value) for name, value in way.variables.items()}
    return Way({name: put(value) for name, value in {**way.settings, **settings}.items()}, variables, entry)
