"""The certificate that visitors see: from an ACME authority, renewed, refused, or from the settings."""

import time
from collections.abc import Iterator

import pytest

from harness.cloud.asking import shown
from harness.cloud.tenant import Tenant
from harness.steps import lines_of
from model.secrets import Secrets
from tests.cloud import authority
from tests.cloud.authority import Authority

pytestmark = pytest.mark.cloud

HOST = "demo.idr.internal"
PROXY = "demo1-proxy"
NOBODY = "https://192.0.2.1/directory"  # RFC 5737: an address that nobody has
AUTHORITY = "/usr/local/lib/idr/proxy/acme-authority.pem"
# Due at once; otherwise a month before its end.
DUE = r"s/^\[renewalparams]/renew_before_expiry = 100 years\n&/"
# While nginx reloads it closes old connections, which this client reports as an error.
RELOAD_SECONDS = 3


@pytest.fixture(scope="module")
def acme(second: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """Start an authority that resolves the service's name; restore the settings afterwards."""
    names = {HOST: second.service().address("omero")}
    with authority.running(tmp_path_factory.mktemp("authority"), names) as running_authority:
        yield running_authority
    second.configure(idr_acme=None, idr_certificate=None)
    second.apply()


def test_an_authority_is_asked_and_visitors_see_what_it_signed(second: Tenant, acme: Authority) -> None:
    second.configure(idr_acme={"directory": acme.directory, "authority": acme.directory_authority})
    steps = second.apply()
    assert {(step.op, step.kind, step.name) for step in steps} == {("update", "Command", PROXY)}, lines_of(steps)
    first = shown(second.service(), acme.root)
    # The signed certificate is kept: the next configuration does not ask the authority.
    second.renew("tls/demo1-proxy")
    second.apply()
    assert shown(second.service(), acme.root) == first


def test_the_distributions_timer_renews_it_and_nginx_shows_the_new_one(second: Tenant, acme: Authority) -> None:
    service = second.service()
    before = shown(service, acme.root)
    assert service.on(PROXY, "systemctl is-active certbot.timer") == "active"
    service.on(PROXY, f"sudo sed -i '{DUE}' /etc/letsencrypt/renewal/idr.conf")
    service.on(PROXY, "sudo systemctl start certbot.service")
    time.sleep(RELOAD_SECONDS)
    assert shown(service, acme.root) != before


def test_the_authority_gets_another_address_of_the_operators(second: Tenant, acme: Authority) -> None:
    about = {"directory": acme.directory, "authority": acme.directory_authority}
    for email in ("first@example.org", "second@example.org"):
        second.configure(idr_acme={**about, "email": email})
        second.apply()
        accounts = second.service().on(
            PROXY, f"sudo env REQUESTS_CA_BUNDLE={AUTHORITY} certbot show_account --server {acme.directory}"
        )
        assert email in accounts


def test_an_authority_that_does_not_answer_is_one_message_and_visitors_see_what_they_saw(
    second: Tenant, acme: Authority
) -> None:
    second.configure(idr_acme={"directory": acme.directory, "authority": acme.directory_authority})
    second.apply()
    before = shown(second.service(), acme.root)
    second.configure(idr_acme={"directory": NOBODY, "authority": acme.directory_authority})
    done = second.up()
    assert done.returncode != 0
    messages = (
        "role proxy: activate failed",
        f"acme: {NOBODY} gave no certificate for {HOST}",
        "Network is unreachable",
        "The previous configuration is back in force.",
    )
    assert [text for text in messages if text not in done.stdout] == [], done.stdout
    assert shown(second.service(), acme.root) == before


def test_a_certificate_that_is_given_is_what_visitors_see(second: Tenant) -> None:
    institute = Secrets("institute", "an authority of its own, for tests")
    pair = institute.certificate("visitors", (HOST,))
    second.configure(idr_acme=None)
    for key, value, kind in (("certificate", pair.certificate, "--plaintext"), ("key", pair.key, "--secret")):
        set_it = ("config", "set", "--stack", "local", "--path", kind, f"idr:certificate.{key}")
        assert second.pulumi(*set_it, text_input=value).returncode == 0
    assert "PRIVATE KEY" not in (second.folder / "Pulumi.local.yaml").read_text()
    second.apply()
    assert shown(second.service(), institute.authority.certificate)
