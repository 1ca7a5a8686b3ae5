"""What the program discloses about the nodes' configuration beside the secret bundles."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudinit.disclosure import digests, disclosure
from harness import stacks
from idr.review.access import FileChange
from idr.review.power import power_changes
from model import site_files
from model.nfs import NfsMount
from model.nginx_snippets import Snippet
from model.people import Person, PersonRole
from model.planning import plan
from model.proxies import Proxies
from model.public_site import PublicSite
from model.reading import Source, parse
from model.redirects import Redirect
from model.role_description import FOLDER
from model.roles import DESCRIPTIONS, OMERO_ROLES, Role, applied_roles
from model.visitors import Visitors
from tests.unit.review.test_power import broken, varied

STACKS = ("local", "ebi", "uod")


def disclosed_files(stack: str) -> dict[str, str]:
    files: dict[str, str] = disclosure(stacks.plan_of(stack), stacks.secrets_of(stack), verifies_cloud=True)["files"]
    return files


@pytest.mark.parametrize("stack", STACKS)
def test_every_file_that_a_node_is_configured_with_is_disclosed(stack: str) -> None:
    stack_plan, files = stacks.plan_of(stack), disclosed_files(stack)
    for node in stack_plan.nodes:
        for folder in applied_roles(node.roles, stack_plan.settings.omero.distribution):
            sources = [file for file in (FOLDER / folder).rglob("*") if file.is_file()]
            assert sources
            assert {str(file.relative_to(stacks.ROOT)) for file in sources} <= files.keys()
    assert {"cloudinit/bootstrap/idr-apply", "cloudinit/render.py", "model/addresses.yaml"} <= files.keys()


def test_modules_that_nodes_run_are_disclosed() -> None:
    """Some are not below `cloudinit`."""
    files = disclosed_files("ebi")
    for role in DESCRIPTIONS:
        folder = FOLDER / role
        for path, entry in site_files.read(folder / site_files.NAME).items():
            source = site_files.source_of(folder, path, entry)
            assert source is None or str(source.resolve().relative_to(stacks.ROOT)) in files, path
    assert "idr/importer/worker.py" in files


@pytest.mark.parametrize("visitors", Visitors)
def test_who_looks_at_the_data_is_disclosed(visitors: Visitors) -> None:
    stack_plan = stacks.with_settings(stacks.plan_of("local"), visitors=visitors)
    disclosed = disclosure(stack_plan, stacks.secrets_of("local"), verifies_cloud=True).get("visitors", "public")
    assert disclosed == visitors


def test_a_changed_template_has_another_digest(tmp_path: Path) -> None:
    files_digests = []
    for number, text in enumerate(("exit 1\n", "exit 0\n")):
        file = tmp_path / str(number) / "cloudinit" / "proxy" / "scripts" / "check"
        file.parent.mkdir(parents=True)
        file.write_text(text)
        for table in ("addresses.yaml", "web_apps.yaml"):
            same = tmp_path / str(number) / "model" / table
            same.parent.mkdir(exist_ok=True)
            same.write_text("the same\n")
        files_digests.append(digests(tmp_path / str(number)))
    first, second = files_digests
    assert {path for path in first if first[path] != second[path]} == {"cloudinit/proxy/scripts/check"}


def test_a_sites_own_locations_are_disclosed_by_their_text() -> None:
    snippet = Snippet("site/nginx/docs.nginx", "docs", "location /docs/ { return 204; }\n")
    stack_plan = stacks.with_settings(stacks.plan_of("local"), site=PublicSite(locations=(snippet,)))
    files = disclosure(stack_plan, stacks.secrets_of("local"), verifies_cloud=True)["files"]
    assert files["site/nginx/docs.nginx"] == hashlib.sha256(snippet.text.encode()).hexdigest()
    assert FileChange("site/nginx/docs.nginx", "changed").is_access


def test_a_first_node_of_a_role_changes_no_template() -> None:
    assert len({json.dumps(disclosed_files(stack)) for stack in STACKS}) == 1


def test_a_check_that_is_off_is_not_disclosed() -> None:
    stack_plan, secrets = stacks.plan_of("ebi"), stacks.secrets_of("ebi")
    less = stacks.with_settings(stack_plan, protect_data=False, configure=False)
    on = disclosure(stack_plan, secrets, verifies_cloud=True)["checks"]
    off = disclosure(less, secrets, verifies_cloud=False)["checks"]
    assert set(on) - set(off) == {
        "the cloud's certificate is verified",
        "data volumes are protected",
        "nodes have firewalls of their own",
    }


def test_people_are_disclosed_with_their_roles_and_keys_and_plain_keys_as_before() -> None:
    plan, secrets = stacks.plan_of("local"), stacks.secrets_of("local")
    assert "people" not in disclosure(plan, secrets, verifies_cloud=True)
    alice = Person(name="alice", keys=(stacks.NEW_OPERATOR,), role=PersonRole.CURATOR)
    disclosed = disclosure(replace(plan, people=(alice,)), secrets, verifies_cloud=True)
    assert disclosed["people"] == [{"name": "alice", "role": "curator", "keys": [stacks.NEW_OPERATOR]}]


def test_sources_of_what_nodes_fetch_and_mount_are_disclosed_without_a_proxys_password() -> None:
    plan, secrets = stacks.plan_of("ebi"), stacks.secrets_of("ebi")
    proxies = Proxies(http="http://user:unseen-1@proxy.example.org:3128")
    moved = Redirect.model_validate({"from": "/about", "to": "https://example.org/"})
    share = NfsMount(source="storage.example.org:/idr", mount="/idr")
    changed = stacks.with_settings(
        plan,
        proxies=proxies,
        redirects=(moved,),
        nfs_mounts=(share,),
        rotations={"ssh/deploy": 2},
        site=PublicSite(headers={"Alt-Svc": 'h3="www.example.com:443"'}),
    )
    disclosed = disclosure(changed, secrets, verifies_cloud=True)
    assert disclosed["rotations"] == {"ssh/deploy": 2}
    sources = disclosed["sources"]
    assert sources["proxies proxy.example.org"] == "port 3128"
    assert sources["redirects /about"] == "https://example.org/ (302)"
    assert sources["site.headers Alt-Svc"] == 'h3="www.example.com:443"'
    assert {"omero.server", "omero.ice", "omero.icePython"} <= sources.keys()
    assert sources["storage /idr"] == "storage.example.org:/idr (ro)"
    assert "unseen-1" not in json.dumps(disclosed)


def test_a_flow_that_the_stack_adds_is_disclosed_with_its_reason() -> None:
    flows = disclosure(stacks.plan_of("local"), stacks.secrets_of("local"), verifies_cloud=True)["flows"]
    assert {"from": "proxy", "to": "web", "port": "tcp 4080", "why": "OMERO.web"} in flows
    assert len({json.dumps(flow) for flow in flows}) == len(flows)


def test_omeros_own_configuration_is_disclosed_by_digest_and_a_password_not_at_all() -> None:
    values = stacks.values("ebi")
    values["omero"]["config"] = {"omero.ldap.config": True, "omero.ldap.password": "a password"}
    del values["web"]
    stack_plan = plan(parse(values, Source("ebi", "Pulumi.ebi.yaml", encrypted=frozenset({"omero"}))), "ebi")
    shown = disclosure(stack_plan, stacks.secrets_of("ebi"), verifies_cloud=True)["omero"]
    servers = {node.name for node in stack_plan.nodes if OMERO_ROLES.intersection(node.roles)}
    assert {key: set(nodes) for key, nodes in shown.items()} == dict.fromkeys(values["omero"]["config"], servers)
    assert set(shown["omero.ldap.config"].values()) == {hashlib.sha256(b"true").hexdigest()}
    assert set(shown["omero.ldap.password"].values()) == {"secret"}


def test_jars_are_disclosed_by_their_sums_and_one_that_changes_breaks_a_rule() -> None:
    def disclosed(total: str) -> dict[str, Any]:
        values = stacks.values("ebi")
        values["omero"]["jars"] = [{"url": "https://d.example.org/a.jar", "sha256": total * 64, "client": True}]
        stack_plan = plan(parse(values, Source("ebi", "Pulumi.ebi.yaml")), "ebi")
        shown = disclosure(stack_plan, stacks.secrets_of("ebi"), verifies_cloud=True)["omero"]
        return {key: nodes for key, nodes in shown.items() if key.startswith("jar ")}

    shown = disclosed("1")
    servers = {node.name for node in stacks.plan_of("ebi").nodes if OMERO_ROLES.intersection(node.roles)}
    assert shown == {f"jar lib/{folder}/a.jar": dict.fromkeys(servers, "1" * 64) for folder in ("server", "client")}
    preview = varied(omero=shown)
    assert set(broken(preview)) == {"access-changed"}
    assert {str(change) for change in power_changes(preview).keys} == {
        f"jar lib/{folder}/a.jar is set on {', '.join(sorted(servers))}" for folder in ("server", "client")
    }


def test_the_applications_beside_omero_web_are_disclosed_as_a_key_of_its_nodes() -> None:
    stack_plan = stacks.plan_of("ebi")
    shown = disclosure(stack_plan, stacks.secrets_of("ebi"), verifies_cloud=True)["omero"]
    assert set(shown) == {"omero.web.apps"}
    assert set(shown["omero.web.apps"]) == {node.name for node in stack_plan.nodes if Role.WEB in node.roles}


def test_where_the_cloud_is_is_always_disclosed() -> None:
    """An empty mapping, too: without one, a review believes that an earlier program wrote the record."""
    stack_plan, secrets = stacks.plan_of("local"), stacks.secrets_of("local")
    assert disclosure(stack_plan, secrets, verifies_cloud=True)["cloud"] == {}
    given = {"authUrl": "https://cloud.example.org:5000/v3"}
    assert disclosure(stack_plan, secrets, verifies_cloud=True, cloud=given)["cloud"] == given
