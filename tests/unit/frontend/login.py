"""A proxy in front of an OMERO.web where users log in, and these users."""

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from harness import proxy, stacks
from model import addresses, web_apps
from model.addresses import Address
from model.site_apps import StackWeb
from model.visitors import Visitors
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.clients import Front, fronting
from tests.unit.frontend.test_cache import KEPT, NOT_KEPT

APPS = tuple(web_apps.table())
PLAN = stacks.with_settings(stacks.plan_of("local"), visitors=Visitors.LOGIN, web=StackWeb(apps=APPS))
NAME: Final = "sessionid_demo1"
ADA, BEN = ({"Cookie": f"{NAME}=private-of-{name}"} for name in ("ada", "ben"))
USERS: tuple[dict[str, str], ...] = (ADA, BEN, ADA, {}, BEN)
STATIC = "/static/webclient/css/layout.css"
PRIVATE = [path for path in (*KEPT, *NOT_KEPT) if path != STATIC]
LOGIN = "/webclient/login/"
SERVERS = "^v(?P<api_version>0)/servers/$"
"""The proxy itself answers these."""
OF_OMERO_WEB = [one for one in addresses.opened_for_users(APPS) if one.pattern != SERVERS]
NEVER = [
    *("/feedback/feedback/", "/feedback/comment/", "/webgateway/su/ada/", "/webadmin/forgottenpassword/"),
    *("/link_check/", "/mapr/favicon/", "/image/1/download_urls/", "/metrics", "/new_in_the_next_version/"),
]


@contextmanager
def running(folder: Path) -> Iterator[Front]:
    """Run the proxy with an empty cache, in front of an OMERO.web that answers with the visitor's session."""
    with upstreams.running(proxy.certificate(PLAN)) as upstream:
        upstream.body = upstreams.COOKIE
        with fronting(folder, PLAN, upstream) as front:
            yield front


def own(user: dict[str, str]) -> str:
    """Return the answer for a user."""
    return user.get("Cookie", "nobody")


def kept(front: Front) -> str:
    """Return all that nginx has on disk, except its logs and its configuration."""
    files = (file for name in ("cache", *proxy.TEMPORARY) for file in (front.nginx.folder / name).rglob("*"))
    return "".join(file.read_bytes().decode(errors="replace") for file in files if file.is_file())


def sample(address: Address) -> st.SearchStrategy[str]:
    """Return paths that OMERO.web accepts for that address."""
    return st.from_regex(f"/(?:{address.regex})", fullmatch=True, alphabet=st.characters(codec="ascii"))


def ask(front: Front, method: str, path: str, user: dict[str, str]) -> tuple[int, str, str | None]:
    """Return status, body and cache status of an answer to a path exactly as written."""
    connection = http.client.HTTPSConnection("127.0.0.1", front.nginx.https, context=proxy.trust(PLAN))
    with closing(connection):
        connection.request(method, path, headers=user)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers["X-Cache-Status"]
