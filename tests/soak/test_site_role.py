"""A site's own role by its folder alone, on running machines: added to a service, used by visitors, changed, removed.

Each test continues where the previous one ended.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cloud.asking import asking
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.steps import replaced
from model.overrides import merge
from tests import site_roles
from tests.cloud.test_broken import edited
from tests.site_roles import EXAMPLE, ROLE

pytestmark = pytest.mark.cloud

NODE = "demo1-about"
PAGE = "about/"
CONNECT = "timeout 5 bash -c '</dev/tcp/{}/8443'"


@pytest.fixture(scope="module")
def added(second: Tenant) -> Service:
    """Return the service after the update that adds the role; visitors' other pages work meanwhile."""
    shutil.copytree(EXAMPLE / "roles", second.folder / "site")
    wanted = merge({"releases": second.settings("releases")}, _example())
    with asking(second.service()) as asked:
        second.configure(idr_siteRoles="site/", idr_releases=wanted["releases"])
        steps = second.apply()
    assert not replaced(steps)
    assert not asked.failures
    return second.service()


def _example() -> dict[str, object]:
    return {"releases": {"demo1": {"nodes": {ROLE: site_roles.values()["releases"]["demo1"]["nodes"][ROLE]}}}}


def test_a_visitor_sees_the_page_through_the_proxy(added: Service) -> None:
    with added.browser() as visitor:
        answer = visitor.get(PAGE)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
        assert "<h1>About demo.idr.internal</h1>" in answer.text
        assert "set-cookie" not in answer.headers
        assert visitor.get("metrics").status_code == 404


def test_the_machine_is_as_every_other(added: Service) -> None:
    sockets = added.on(NODE, "sudo ss -H -ltn | awk '{print $4}'").split()
    reachable = {int(socket.rsplit(":", 1)[1]) for socket in sockets if not socket.startswith(("127.", "[::1]"))}
    assert reachable == {22, 8443, 9100}
    assert added.on(NODE, "systemctl --failed --no-legend") == ""
    assert added.on(NODE, "systemd-analyze verify --man=no about-page.service 2>&1") == ""
    assert added.on(NODE, "sudo /usr/local/sbin/idr-apply --status")
    assert added.outputs["inventory"]["about-hosts"]["hosts"] == [NODE]


def test_its_port_is_open_for_those_that_the_role_names_alone(added: Service) -> None:
    address = added.outputs["inventory"]["_meta"]["hostvars"][NODE]["idr_address"]
    assert added.try_on("demo1-proxy", CONNECT.format(address)).returncode == 0
    assert added.try_on("demo1-redis", CONNECT.format(address)).returncode != 0


def test_a_dead_service_comes_back_by_itself(added: Service) -> None:
    added.on(NODE, "sudo kill -KILL $(systemctl show --value -p MainPID about-page)")
    added.on(NODE, "for i in {1..30}; do sudo /usr/local/lib/idr/about/health && exit 0; sleep 1; done; exit 1")


def test_a_changed_page_is_seen_and_replaces_nothing(added: Service, second: Tenant) -> None:
    page = _file(second, "files/srv/about/index.html.j2")
    page.write_text(page.read_text().replace("<h1>About", "<h1>All about"))
    assert not replaced(second.apply())
    with added.browser() as visitor:
        assert "<h1>All about demo.idr.internal</h1>" in visitor.get(PAGE).text


def test_a_configuration_that_its_check_refuses_changes_nothing(added: Service, second: Tenant) -> None:
    with edited(second, f"site/{ROLE}/files/etc/about/nginx.conf.j2", "server_tokens off;", "server_tokens perhaps;"):
        done = second.up()
    assert done.returncode != 0
    assert "role about: check failed" in done.stdout + done.stderr
    with added.browser() as visitor:
        assert visitor.get(PAGE).status_code == 200


def test_a_mistake_in_its_description_is_one_line_and_changes_nothing(second: Tenant) -> None:
    with edited(second, f"site/{ROLE}/role.yaml", "path: /about/", "path: /webclient/"):
        done = second.up()
    assert done.returncode != 0
    assert "site/about/role.yaml: locations.0.path: /webclient/ would hide /webclient" in done.stdout + done.stderr


def test_it_goes_as_it_came(added: Service, second: Tenant, record_property: Callable[[str, object], None]) -> None:
    releases = second.settings("releases")
    del releases["demo1"]["nodes"][ROLE]
    second.configure(idr_releases=releases, idr_siteRoles=None)
    steps = second.apply()
    record_property("steps that take a site's role away", len(steps))
    assert not replaced(steps)
    with added.browser() as visitor:
        assert visitor.get(PAGE).status_code == 404
        assert visitor.get("webclient/?experimenter=-1").status_code == 200
    gone: subprocess.CompletedProcess[str] = added.try_on(NODE, "true")
    assert gone.returncode != 0


def _file(stack: Tenant, path: str) -> Path:
    return stack.folder / "site" / ROLE / path
