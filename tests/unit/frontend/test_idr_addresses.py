"""The IDR's public addresses with its stack file (examples/Pulumi.idr.yaml), by the real nginx."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
import yaml

from harness import proxy, stacks
from model import balancing
from model.overrides import merge
from model.planning import plan
from model.reading import Source, parse
from tests import search_engine
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.clients import visiting

PLAN = stacks.plan_of("idr")
CLOSED_IN_CLIENT = ("action/delete/image/1", "annotate_tags", "annotate_map", "script_ui/1", "ome_tiff_info/1")
APIDOCS = "/searchengine/apidocs/"
LANDING = "/webclient/?experimenter=-1"


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("proxy")
    names = tuple(node.name for node in PLAN.releases[0].nodes)
    with ExitStack() as stack:
        upstream = stack.enter_context(upstreams.running(stacks.secrets_of("idr").certificate("test", names)))
        addresses = {str(node.address): upstream.address for node in balancing.web(PLAN.releases[0])}
        nginx = stack.enter_context(proxy.running(proxy.Nginx(folder, addresses), PLAN))
        pages = folder / "srv" / "idr-pages" / "current"
        pages.mkdir(parents=True)
        for name in ("index.html", "experiments.html"):
            (pages / name).write_text(name)
        base = f"https://127.0.0.1:{nginx.https}"
        yield stack.enter_context(httpx.Client(base_url=base, verify=proxy.trust(PLAN), timeout=20))


@pytest.mark.parametrize(
    ("path", "status", "target"),
    [
        # IDR/deployment, production-tests/test_web.py
        ("/about", 301, "/about/"),
        ("/about/", 200, None),
        ("/about/experiments.html", 200, None),
        ("/webclient/render_image/2850181/10/0/?dummy=", 200, None),
        # group_vars/omero-hosts.yml: idr_omero_web_public_url_filters
        *(("/", 200, None), ("/search/", 200, None), ("/cell/", 200, None), ("/tissue/search/", 200, None)),
        *(("/gallery-api/thumbnails/?screen=1", 200, None), ("/gallery_settings/", 200, None)),
        *(("/iviewer/?images=1", 200, None), ("/figure/", 200, None), ("/mapr/gene/?experimenter=-1", 200, None)),
        ("/webadmin/myphoto/", 200, None),
        *(("/study/idr0001/", 200, None), ("/study/idr0083/", 200, None), ("/image/1/", 200, None)),
        *(("/api/v0/m/screens/", 200, None), ("/webclient/metadata_details/screen/1201/", 200, None)),
        # These would write, or send whole files; the IDR closes them, too.
        *((f"/webclient/{path}/", 404, None) for path in CLOSED_IN_CLIENT),
        *(("/webgateway/archived_files/download/1/", 404, None), ("/webgateway/download_as/?image=1", 404, None)),
        *(("/webadmin/", 404, None), ("/webadmin/login/", 404, None), ("/feedback/feedback/", 404, None)),
        # group_vars/proxy-hosts.yml
        ("/webclient", 302, LANDING),
        ("/webclient/", 302, LANDING),
        ("/webclient/login", 302, LANDING),
        ("/webclient/login/", 302, LANDING),
        ("/webclient/login/?url=%2Fwebclient%2F%3Fshow%3Dscreen-1", 302, LANDING),
        (LANDING, 200, None),
        ("/mito/webclient/?show=screen-1", 302, "/webclient/?show=screen-1101"),
        ("/mito/webclient/?show=screen-701", 302, "/webclient/?show=screen-1302"),
        ("/mito/webclient/?show=well-324", 302, "/webclient/?show=well-771034"),
        ("/mito/webclient/?show=anything", 302, "/webclient/?show=screen-1101"),
        ("/mito", 302, "/webclient/?show=screen-1101"),
        ("/mitochondria", 404, None),
        ("/tara/webclient/?show=screen-151", 302, "/webclient/?show=screen-1201"),
        ("/tara/webclient/?show=plate-362", 302, "/webclient/?show=plate-4751"),
        ("/tara/", 302, "/webclient/?show=screen-1201"),
        ("/pgpc", 302, "/webclient/?show=screen-1151"),
        ("/pgpc/webclient/?show=screen-101", 302, "/webclient/?show=screen-1151"),
        ("/pgpc/webclient/?show=run-2", 302, "/webclient/?show=plate-4101"),
        (
            "/study/idr0083/figure/4i",
            302,
            "/webclient/img_detail/9822151/?dataset=10201&x=34105&y=84808&zm=25&c=1%7C318:9927%24808080&m=g",
        ),
        (
            "/study/idr0083/figure/4r",
            302,
            "/webclient/img_detail/9822152/?dataset=10201&x=80560&y=77440&zm=66&c=1%7C495:9204%24808080&m=g",
        ),
        ("/mineotaur", 302, "/about/mineotaur.html"),
        ("/mineotaur/", 302, "/about/mineotaur.html"),
        ("/jupyter", 302, "/about/analysis-environments.html"),
        ("/jupyter/hub", 302, "/about/analysis-environments.html"),
        ("/curation-workflow", 302, "/about/curation-workflow.html"),
        ("/submitter-survey", 302, "https://forms.gle/beR4vqLrgLgRzgSX9"),
        ("/connection/omero-client.json", 200, None),
        ("/django_prometheus", 404, None),
        ("/django_prometheus/metrics", 404, None),
    ],
)
def test_an_address_gives_what_the_idr_gives(visitor: httpx.Client, path: str, status: int, target: str | None) -> None:
    answer = visitor.get(path)
    assert answer.status_code == status
    location = answer.headers.get("Location")
    assert (location.removeprefix(str(visitor.base_url).rstrip("/")) if location else None) == target
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Return a visitor of the IDR with its search engine: mapr's API redirects to its pages (IDR/deployment#441)."""
    folder = tmp_path_factory.mktemp("searcher")
    (api,) = re.findall(r"\(#441\) \| `([^`]+)` \|", (stacks.ROOT / "docs" / "comparison.md").read_text())
    values = merge(stacks.values("idr"), yaml.safe_load((search_engine.EXAMPLE / "idr.yaml").read_text()))
    values["redirects"] = [*values["redirects"], *yaml.safe_load(api)["redirects"]]
    stack_plan = plan(parse(values, Source("idr", "Pulumi.idr.yaml", folder=stacks.ROOT)), "idr")
    node = search_engine.node_of(stack_plan)
    names = [*(one.name for one in stack_plan.releases[0].nodes), "searchengine.prod130.idr.internal"]
    with upstreams.running(stacks.secrets_of("idr").certificate("test", tuple(names))) as upstream:
        upstream.body = upstreams.ECHO

        class SearcherNginx(proxy.Nginx):
            def adapt(self, text: str) -> str:
                return super().adapt(text).replace(f"{node.address}:5577", upstream.address)

        with visiting(SearcherNginx(folder), stack_plan) as client:
            yield client


@pytest.mark.parametrize("path", ["/searchengine/api/v1/resources/image/search/?key=Gene%20Symbol&value=pax6", APIDOCS])
def test_the_search_engine_is_asked_for_its_addresses(searcher: httpx.Client, path: str) -> None:
    assert searcher.get(path).text == path


@pytest.mark.parametrize("path", ["/mapr/api", "/mapr/api/", "/mapr/api/organism/count/", "/mapr/api/gene/?value=PAX6"])
def test_the_api_of_mapr_leads_to_its_documentation(searcher: httpx.Client, path: str) -> None:
    answer = searcher.get(path)
    assert (answer.status_code, answer.headers["Location"].endswith(APIDOCS)) == (302, True)
    assert searcher.get("/mapr/gene/").status_code != answer.status_code


def test_programs_get_the_idrs_name_and_password(visitor: httpx.Client) -> None:
    client_config = visitor.get("/connection/omero-client.json").json()
    assert {"--omero.host=idr.openmicroscopy.org", "--omero.user=public", "--omero.pass=public"} <= set(client_config)
