"""Engine and `idr` trust the same clouds, and show the same certificate to those that want one."""

import datetime
import json
import ssl
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.engine.clients import both
from tests.engine.ways import OPENRC, PROJECT, USER, Way, at, auth, cloud
from tests.fake_cloud.cloud import FakeCloud

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `own.pem` and `own.key`: a certificate of 127.0.0.1 that nobody but its holder trusts."""
    folder = tmp_path_factory.mktemp("certificates")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the fake cloud")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "own.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "own.key").write_bytes(text)
    return folder


@pytest.fixture(scope="module", params=[False, True], ids=["", "client's certificate wanted"])
def secure(certificates: Path, request: pytest.FixtureRequest) -> Iterator[FakeCloud]:
    """A cloud that speaks TLS, with a certificate of its own; one that also wants to see its client's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "own.pem", certificates / "own.key")
    if request.param:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates / "own.pem")
    with FakeCloud(tls=context) as started:
        yield started


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
CLIENT = {"cert": "FOLDER/own.pem", "key": "FOLDER/own.key"}


def placed(way: Way, folder: Path, **settings: str) -> Way:
    def put(value: str) -> str:
        if value.startswith("CONTENT "):
            return (folder / value.removeprefix("CONTENT ")).read_text()
        return value.replace("FOLDER", str(folder))

    entry = json.loads(json.dumps(way.entry).replace("FOLDER", str(folder)))
    variables = {name: put(value) for name, value in way.variables.items()}
    return Way({name: put(value) for name, value in {**way.settings, **settings}.items()}, variables, entry)


@pytest.mark.parametrize("with_client", [False, True], ids=["", "with a client's certificate"])
@pytest.mark.parametrize("name", TRUST)
def test_both_trust_the_same_cloud(  # fixtures
    name: str,
    with_client: bool,
    secure: FakeCloud,
    certificates: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    way = placed(TRUST[name], certificates, **(CLIENT if with_client else {}))
    wants_client = bool(secure.tls and secure.tls.verify_mode == ssl.CERT_REQUIRED)
    provider, idr = both(way, secure, tmp_path, monkeypatch)
    reached = name not in UNTRUSTED and (with_client or not wants_client)
    assert bool(provider.network) is reached, provider.said
    assert (idr.logins, idr.asked, idr.network) == (provider.logins, provider.asked, provider.network), idr.said
