"""The certificate that visitors see: what is refused of it, and which of three sources reaches which machine."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cloudinit import render
from harness import proxy, stacks
from model.certificates import Certificate
from model.field_types import SEALED
from model.plan import Plan
from model.planning import plan
from model.public_certificate import LETS_ENCRYPT
from model.reading import Source, parse
from model.secrets import Secrets
from tests.unit.model.mistakes import mistakes

HOST = "idr.example.org"
SOURCE = Source("local", "Pulumi.local.yaml", encrypted=frozenset({"stackSecret", "certificate"}))
ACME_ENV = "/usr/local/lib/idr/proxy/acme.env"
AUTHORITY = Secrets("elsewhere", "an institute's own authority, for tests").authority.certificate
Values = dict[str, Any]


def signed(name: str, *hosts: str) -> Certificate:
    return Secrets("elsewhere", "an institute's own authority, for tests").certificate(name, hosts)


def given(**other: str) -> dict[str, str]:
    pair = signed("visitors", HOST, "*.wild.example.org")
    return {"certificate": pair.certificate, "key": pair.key} | other


def planned(**values: Any) -> Plan:
    return plan(parse(stacks.values("local") | {"hostName": HOST} | values, SOURCE), "local")


def files(stack_plan: Plan, node: str) -> dict[str, str]:
    node_plan = next(each for each in stack_plan.nodes if each.name == node)
    bundle = render.bundle(node_plan, stack_plan, stacks.secrets_of("local"), proxy.VOLUMES)
    return {entry["path"]: entry["content"] for entry in json.loads(bundle)["files"]}


WRONG: dict[str, tuple[Callable[[], Values], str]] = {
    "two ways at once": (
        lambda: {"acme": {}, "certificate": given()},
        "idr: certificate and acme both say what visitors see: remove one",
    ),
    "no name": (
        lambda: {"hostName": None, "acme": {}},
        "idr: hostName: a certificate is for a name: say which visitors use",
    ),
    "another name": (
        lambda: {"hostName": "example.org", "certificate": given()},
        "idr: certificate: is not for the hostName example.org",
    ),
    "no PEM": (
        lambda: {"certificate": given(certificate="PEM")},
        "idr:certificate: certificate: is not a certificate in PEM",
    ),
    "no PEM, the key encrypted": (
        lambda: {"certificate": given(certificate="PEM", key=SEALED)},
        "idr:certificate: certificate: is not a certificate in PEM",
    ),
    "no key": (
        lambda: {"certificate": given(key="PEM")},
        "idr:certificate: key: is not a private key in PEM without a passphrase",
    ),
    "another's key": (
        lambda: {"certificate": given(key=signed("others", HOST).key)},
        "idr:certificate: key: belongs to another certificate; the server's own must be the first in `certificate`",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_without_showing_it(name: str) -> None:
    values, message = WRONG[name]
    messages = mistakes(lambda v: v.update({"hostName": HOST} | values()), SOURCE)
    assert messages == [f"Pulumi.local.yaml: {message}"]


def test_a_wildcard_is_for_one_label_more() -> None:
    assert planned(hostName="idr.wild.example.org", certificate=given()).settings.certificate
    messages = mistakes(lambda v: v.update(hostName="a.b.wild.example.org", certificate=given()), SOURCE)
    assert messages == ["Pulumi.local.yaml: idr: certificate: is not for the hostName a.b.wild.example.org"]


@pytest.mark.parametrize("sealed", ["certificate", "key"])
def test_what_is_encrypted_in_the_stack_file_is_not_judged(sealed: str) -> None:
    assert planned(certificate=given(**{sealed: SEALED})).settings.certificate


def test_the_given_certificate_is_what_nginx_shows() -> None:
    proxy_files = files(planned(certificate=given()), "demo1-proxy")
    assert proxy_files["/etc/nginx/tls/given/fullchain.pem"] == given()["certificate"]
    assert proxy_files["/etc/nginx/tls/given/privkey.pem"] == given()["key"]
    assert "ssl_certificate /etc/nginx/tls/given/fullchain.pem;" in proxy_files["/etc/nginx/conf.d/site.conf"]


def test_services_inside_keep_the_stacks_own_authority() -> None:
    database_files = files(planned(certificate=given()), "demo1-database")
    assert given()["certificate"] not in "".join(database_files.values())


def test_only_the_proxy_behind_the_public_address_asks_an_authority() -> None:
    values = stacks.values("local")
    values["releases"]["demo2"] = values["releases"]["demo1"] | {"cidr": "10.130.2.0/24"}
    stack_plan = planned(releases=values["releases"], acme={"email": "operators@example.org"})
    assert files(stack_plan, "demo1-proxy")[ACME_ENV].splitlines()[1:] == [
        f"ACME_DIRECTORY={LETS_ENCRYPT}",
        f"ACME_HOST={HOST}",
        "ACME_EMAIL=operators@example.org",
    ]
    assert "ACME" not in files(stack_plan, "demo2-proxy")[ACME_ENV]
    assert "acme" not in files(stack_plan, "demo2-proxy")["/etc/nginx/conf.d/site.conf"]


def test_certbot_goes_the_sites_way_to_an_authority_of_its_own() -> None:
    stack_plan = planned(
        acme={"directory": "https://acme.example.org/directory", "authority": AUTHORITY},
        proxies={"http": "http://proxy.example.org:3128", "exceptions": ["acme.example.org"]},
    )
    proxy_files = files(stack_plan, "demo1-proxy")
    assert proxy_files["/usr/local/lib/idr/proxy/acme-authority.pem"] == AUTHORITY
    assert proxy_files[ACME_ENV].splitlines()[4:] == [
        "REQUESTS_CA_BUNDLE=/usr/local/lib/idr/proxy/acme-authority.pem",
    ]
    node = proxy_files["/etc/idr/node.env"].splitlines()
    assert "https_proxy=http://proxy.example.org:3128/" in node
    assert "no_proxy=localhost,127.0.0.1,169.254.169.254,acme.example.org" in node
    renewal = proxy_files["/etc/systemd/system/certbot.service.d/idr.conf"].splitlines()
    assert [line for line in renewal if line.startswith("EnvironmentFile=")] == [
        "EnvironmentFile=-/etc/idr/node.env",
        f"EnvironmentFile=-{ACME_ENV}",
    ]
    asking = proxy_files["/usr/local/lib/idr/proxy/certificate"].splitlines()
    assert asking.index(". /etc/idr/node.env") < asking.index(f". {ACME_ENV}")


def test_certbot_is_installed_where_it_is_needed_only() -> None:
    assert [node.name for node in planned(acme={}).nodes if "certbot" in node.packages] == ["demo1-proxy"]
    assert not [node.name for node in planned().nodes if "certbot" in node.packages]
