"""A role of a site's own that gets requests for pictures before OMERO.web (`answersFirst`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from harness import proxy, stacks
from model.plan import Plan
from model.roles import Role
from tests import site_roles
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.clients import visiting

FIRST = "/webgateway/render_image_region/"
TILE = f"{FIRST}1/0/0/?c=1&tile=0,0,0"
SECRETS = stacks.secrets_of("local")
CERTIFICATE = SECRETS.certificate("test", ("about.demo1.idr.internal",))


@dataclass(frozen=True)
class Between(proxy.Nginx):
    """A proxy in front of OMERO.web and a role."""

    role: str = ""

    def adapt(self, text: str) -> str:
        return super().adapt(text).replace("10.130.1.61:8443", self.role or self.nothing)


def planned(folder: Path) -> Plan:
    given = site_roles.copied(folder)
    first = [{"path": path, "port": 8443} for path in (FIRST, "/webgateway/render_image/")]
    site_roles.change(folder, locations=None, answersFirst=first)
    return site_roles.plan_of(given, folder)


@contextmanager
def site(
    folder: Path, role: str | None = None
) -> Iterator[tuple[upstreams.Upstream, upstreams.Upstream, httpx.Client]]:
    """Run servers instead of the role and OMERO.web; yields a visitor. `role` replaces the role's address."""
    plan = planned(folder)
    web_node = plan.releases[0].with_role(Role.WEB)[0]
    (folder / "proxy").mkdir()
    with upstreams.running(CERTIFICATE) as first, upstreams.running(proxy.certificate(plan)) as web:
        first.body, web.body = "of the role", "of OMERO.web"
        at = first.address if role is None else role
        nginx = Between(folder / "proxy", upstreams={str(web_node.address): web.address}, role=at)
        with visiting(nginx, plan) as visitor:
            yield first, web, visitor


def test_its_picture_is_kept_as_omero_webs_would_be(tmp_path: Path) -> None:
    with site(tmp_path) as (first, web, visitor):
        answers = [visitor.get(TILE, headers={"Cookie": "sessionid_demo1=a-visitors"}) for _ in range(3)]
        assert [answer.text for answer in answers] == ["of the role"] * 3
        assert (first.asked, dict(web.asked)) == ({TILE: 1}, {})
        assert "set-cookie" not in answers[0].headers


def test_it_gets_nothing_of_the_visitor(tmp_path: Path) -> None:
    sent = {"Cookie": "sessionid_demo1=a-visitors", "X-OMERO-Session-Key": "another's", "Authorization": "Basic x"}
    with site(tmp_path) as (first, _, visitor):
        visitor.get(f"{TILE}&nobody=knows", headers=sent)
        assert dict(first.asked) == {TILE: 1}
        assert set(first.headers[0]) == {"host", "x-forwarded-for"}
        assert visitor.get(f"{TILE}&bsession=anothers", headers=sent).status_code == 403
        assert dict(first.asked) == {TILE: 1}


@pytest.mark.parametrize("status", [302, 400, 403, 404, 500, 503])
def test_what_it_does_not_answer_omero_web_does(tmp_path: Path, status: int) -> None:
    with site(tmp_path) as (first, web, visitor):
        first.status = status
        assert (visitor.get(TILE).text, visitor.get(TILE).text) == ("of OMERO.web",) * 2
        assert (dict(first.asked), dict(web.asked)) == ({TILE: 1}, {TILE: 1})


def test_while_it_is_away_omero_web_answers(tmp_path: Path) -> None:
    with site(tmp_path, role="") as (_, web, visitor):
        tiles = [f"{TILE},{number}" for number in range(5)]
        assert {visitor.get(tile).text for tile in tiles} == {"of OMERO.web"}
        assert dict(web.asked) == dict.fromkeys(tiles, 1)
        # Then OMERO.web's answer counts.
        web.status = 404
        assert visitor.get(f"{TILE},9").status_code == 404


def test_another_service_instead_is_sent_nothing(tmp_path: Path) -> None:
    with (
        upstreams.running(SECRETS.certificate("test", ("other.demo1.idr.internal",))) as other,
        site(tmp_path, other.address) as (_, web, visitor),
    ):
        assert visitor.get(TILE).text == "of OMERO.web"
        assert (dict(other.asked), dict(web.asked)) == ({}, {TILE: 1})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/webclient/?show=image-1", 200),
        ("/webgateway/render_thumbnail/1/", 200),
        ("/webgateway/render_image_rdef/1/", 200),
        # These stay closed, and so do addresses that only look similar.
        ("/webgateway/render_image_region/1/", 404),
        ("/webgateway/render_image/x/0/0/", 404),
    ],
)
def test_it_is_asked_for_nothing_else(tmp_path: Path, path: str, status: int) -> None:
    with site(tmp_path) as (first, _, visitor):
        assert visitor.get(path).status_code == status
        assert not first.asked


def test_nginx_accepts_it_without_a_warning(tmp_path: Path) -> None:
    nginx = proxy.Nginx(tmp_path / "proxy")
    plan = planned(tmp_path)
    nginx.folder.mkdir()
    done = proxy.check_configuration(nginx.write(proxy.rendered(plan)))
    assert (done.returncode, done.stderr) == (0, "")
