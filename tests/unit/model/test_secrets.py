"""Derived secrets: always the same, never two equal ones, accepted by the tools that use them."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from model.certificates import Certificate
from model.secrets import Secrets

SECRET = "a stack secret for tests, nowhere else in use"  # noqa: S105  # opens nothing
SECRETS = Secrets("local", SECRET)


def test_the_same_stack_secret_gives_the_same_values() -> None:
    again = Secrets("local", SECRET)
    assert SECRETS.password("redis") == again.password("redis")
    assert SECRETS.ssh_key("host/a") == again.ssh_key("host/a")
    assert SECRETS.certificate("a", ("a", "10.0.0.1")) == again.certificate("a", ("a", "10.0.0.1"))


def test_another_stack_secret_name_or_rotation_gives_another_value() -> None:
    others = {
        Secrets("ebi", SECRET).password("redis"),
        Secrets("local", SECRET + "x").password("redis"),
        SECRETS.password("database"),
        Secrets("local", SECRET, {"password/redis": 2}).password("redis"),
    }
    assert len(others | {SECRETS.password("redis")}) == 5


def test_rotating_the_deploy_key_takes_the_one_that_nodes_trust_already() -> None:
    current, following = SECRETS.deploy_keys()
    assert Secrets("local", SECRET, {"ssh/deploy": 2}).deploy_keys()[0] == following != current


def test_openssh_reads_the_key_and_finds_its_public_half(tmp_path: Path) -> None:
    key = SECRETS.ssh_key("host/a")
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_text(key.private)
    read = subprocess.run(["ssh-keygen", "-y", "-f", str(file)], capture_output=True, text=True, check=True)
    assert read.stdout.split()[:2] == key.public.split()


def test_openssl_verifies_a_certificate_against_the_authority(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(SECRETS.authority.certificate)
    (tmp_path / "a.crt").write_text(SECRETS.certificate("a", ("a.internal", "10.0.0.1")).certificate)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.crt", "-verify_ip", "10.0.0.1", "a.crt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "a.crt: OK\n", done.stderr


@pytest.mark.parametrize(
    ("name", "host", "accepted"),
    [
        ("idr.example.org", "idr.example.org", True),
        ("idr.example.org", "bank.example.com", False),
        ("idr.example.org", "192.0.2.1", False),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "bank.example.com", False),
    ],
)
def test_what_a_visitor_trusts_is_valid_for_the_service_alone(
    tmp_path: Path, name: str, host: str, accepted: bool
) -> None:
    (tmp_path / "ca.crt").write_text(SECRETS.visitors_authorities(name))
    (tmp_path / "a.crt").write_text(SECRETS.visitors_certificate("demo1-proxy", host).certificate)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.crt", "a.crt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout == "a.crt: OK\n") is accepted, done.stderr
    assert ("subtree violation" in done.stderr) is not accepted


def test_no_two_certificates_of_the_authority_have_one_number() -> None:
    """Firefox refuses a second certificate of one issuer and number."""
    given = (SECRETS.authority.certificate, *map(SECRETS.visitors_authorities, ("a.example.org", "b.example.org")))
    read = [x509.load_pem_x509_certificate(text.encode()) for text in given]
    assert len({one.serial_number for one in read}) == len(read)
    assert len({one.subject for one in read}) == 1


def test_nothing_secret_shows_in_a_repr() -> None:
    key = SECRETS.ssh_key("host/a")
    assert SECRET not in repr(SECRETS)
    assert key.private not in repr(key)
    assert SECRETS.authority.key not in repr(SECRETS.authority)


def test_visitors_see_a_new_certificate_each_half_year_long_before_the_old_one_ends() -> None:
    def shown(when: datetime) -> Certificate:
        return Secrets("local", SECRET, now=when).visitors_certificate("demo1-proxy", "idr.example.org")

    first, last, following = (datetime(2027, *day, 23, 59, tzinfo=UTC) for day in ((1, 1), (6, 30), (7, 1)))
    assert shown(first) == shown(last) != shown(following)
    read = [x509.load_pem_x509_certificate(shown(when).certificate.encode()) for when in (last, following)]
    assert len({one.serial_number for one in read}) == 2
    for one, when in zip(read, (last, following), strict=True):
        assert one.not_valid_before_utc <= when
        assert one.not_valid_after_utc - one.not_valid_before_utc == timedelta(days=397)
        names = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert list(names) == [x509.DNSName("idr.example.org")], "nothing of the network inside"
    assert read[0].not_valid_after_utc - last > timedelta(days=180)
