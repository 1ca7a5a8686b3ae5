"""What is declared and disclosed of a site's own role."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as engine_config

from cloudinit.disclosure import disclosure
from cloudinit.render import bundle
from cloudinit.templates import RenderError
from cloudinit.user_data import bootstrap
from components.deployment import Deployment
from components.stack import load
from harness import stacks
from idr import stack_file
from idr.review import rules
from idr.review.access import FileChange
from idr.review.power import power_changes
from idr.review.preview import Preview, read
from idr.review.rules import Change
from model.plan import Plan
from tests import declared, site_roles
from tests.golden_files import NamedSecrets
from tests.site_roles import ROLE, VOLUME, change, copied, example_node, example_plan, plan_of
from tests.unit.review.test_review import raw

SECRETS = NamedSecrets("local", "unused")


def disclosed(plan: Plan) -> dict[str, Any]:
    return disclosure(plan, stacks.secrets_of("local"), verifies_cloud=True)


def previewed(before: Plan, after: Plan) -> Preview:
    """Return a preview in which the program discloses another plan."""
    preview = raw("operator-added")
    (step,) = (step for step in preview["steps"] if "Disclosure" in step["urn"])
    for state, plan in (("oldState", before), ("newState", after)):
        step[state]["inputs"] = disclosed(plan)
    return read(json.dumps(preview))


def test_its_server_and_security_group_are_declared(tmp_path: Path) -> None:
    given = copied(tmp_path)
    change(tmp_path, node={"volume": VOLUME})
    given["releases"]["demo1"]["nodes"][ROLE]["volumes"] = {"pages": {"sizeGib": 1}}
    resources = declared.resources(plan_of(given, tmp_path), SECRETS)
    server = resources["openstack:compute/instance:Instance demo1-about"]["inputs"]
    assert server["metadata"]["idr_roles"] == ROLE
    assert "about-hosts" in server["metadata"]["groups"]
    assert "openstack:networking/secGroup:SecGroup demo1-about" in resources
    assert resources["openstack:blockstorage/volume:Volume demo1-about-pages"]["protect"] is True
    assert "command:remote:Command demo1-about" in resources


def test_its_files_are_disclosed_once_a_node_has_it() -> None:
    unused = plan_of(stacks.values("local") | {"siteRoles": site_roles.SETTING})
    assert disclosed(unused)["files"] == disclosed(stacks.plan_of("local"))["files"]
    added = disclosed(example_plan())["files"].keys() - disclosed(unused)["files"].keys()
    there = {file for file in site_roles.EXAMPLE.rglob("about/**/*") if file.is_file()}
    assert added == {str(file.relative_to(stacks.ROOT)) for file in there}


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        ("role.yaml", {"access-changed"}),
        ("files.yaml", {"access-changed"}),
        ("files/etc/systemd/system/about-page.service", {"access-changed"}),
        ("scripts/check", {"check-lifted"}),
        ("scripts/health", {"check-lifted"}),
        ("scripts/prepare", set()),
        ("files/srv/about/index.html.j2", set()),
    ],
)
def test_a_changed_file_is_a_change_of_power(tmp_path: Path, file: str, rule: set[str]) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    plans = [plan_of(copied(folder), folder) for folder in (before, after)]
    changed = after / "site" / ROLE / file
    changed.write_text(f"{changed.read_text()}# Another line.\n")
    preview = previewed(*plans)
    assert power_changes(preview).files == (FileChange(f"site/about/{file}", "changed"),)
    assert {breach.rule for breach in rules.check(Change(preview))} == rule


PAGE = "site/about/files/srv/about/index.html.j2"
CACHE = "proxy/files/etc/nginx/conf.d/cache.conf"


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ("{{ plan.hostname }}", f"{PAGE}: line 1: 'model.plan.Plan object' has no attribute 'hostname'"),
        ("{{ hostname }}", f"{PAGE}: line 1: 'hostname' is undefined"),
        ("\n{% if %}", f"{PAGE}: line 2: Expected an expression, got 'end of statement block'"),
        ("{% include 'more' %}", f"{PAGE}: line 1: 'more' not found in search path"),
        ("{{ 1 + 'a' }}", f"{PAGE}: line 1: unsupported operand type(s) for +"),
        ("{{ 1 / 0 }}", f"{PAGE}: line 1: division by zero"),
        (f"{{% include '{PAGE.removeprefix('site/')}' %}}", f"{PAGE}: line 1: maximum recursion depth exceeded"),
    ],
)
def test_a_mistake_in_a_template_is_named_with_its_file(tmp_path: Path, mistake: str, message: str) -> None:
    given = copied(tmp_path)
    (tmp_path / PAGE).write_text(mistake)
    assert refusal(plan_of(given, tmp_path)).startswith(message)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('"/srv/{{ nobody }}": {source: files.yaml}', "/srv/{{ nobody }}: 'nobody' is undefined"),
        (
            '"{{ node.name }}": {source: files.yaml}',
            "{{ node.name }}: comes to 'demo1-about', which is",
        ),
        (
            "\"/srv/{{ '../etc/x' }}\": {source: files.yaml}",
            "/srv/{{ '../etc/x' }}: comes to '/srv/../etc/x'",
        ),
        ("\"{{ '/etc/nftables.conf' }}\": {source: files.yaml}", "/etc/nftables.conf: the node has this file already"),
        ('/srv/x: {mode: "{{ nobody }}", source: files.yaml}', "/srv/x: 'nobody' is undefined"),
        ('/srv/x: {mode: "{{ 4755 }}", source: files.yaml}', "/srv/x: mode: comes to '4755', which is no mode"),
        (
            f"/srv/x: {{source: ../{CACHE}}}",
            f"/srv/x: cloudinit/{CACHE}.j2: line 2: 'limits' is undefined",
        ),
    ],
)
def test_a_mistake_in_a_path_or_mode_is_named_with_its_entry(tmp_path: Path, entry: str, message: str) -> None:
    given = copied(tmp_path)
    file = tmp_path / "site" / ROLE / "files.yaml"
    file.write_text(f"{file.read_text()}{entry}\n")
    assert refusal(plan_of(given, tmp_path)).startswith(f"site/about/files.yaml: {message}")


@pytest.mark.parametrize("is_protected", [False, True])
def test_a_password_that_everybody_on_the_node_may_read_is_refused(tmp_path: Path, is_protected: bool) -> None:
    given = copied(tmp_path)
    change(tmp_path, passwords=["admin"])
    (tmp_path / PAGE).write_text('{{ passwords["about/admin"] }}')
    if is_protected:
        site_roles.protect_page(tmp_path)
    plan = plan_of(given, tmp_path)
    if is_protected:
        assert bundle(example_node(plan), plan, stacks.secrets_of("local"), {})
    else:
        assert refusal(plan) == (
            "site/about/files.yaml: /srv/about/index.html: contains the password about/admin, and everybody on the "
            'node may read the file: set mode: "0640" and the group of the service'
        )


def test_a_nested_folder_of_roles_is_named_as_the_setting_does(tmp_path: Path) -> None:
    given = copied(tmp_path)
    (tmp_path / PAGE).write_text("{{ hostname }}")
    (tmp_path / "ours").mkdir()
    (tmp_path / "site").rename(tmp_path / "ours" / "roles")
    plan = plan_of(given | {"siteRoles": "ours/roles"}, tmp_path)
    assert refusal(plan) == "ours/roles/about/files/srv/about/index.html.j2: line 1: 'hostname' is undefined"


def test_a_preview_names_a_mistake_on_a_node_whose_volume_is_new(tmp_path: Path) -> None:
    """The volume has no id yet, so a preview does not render the node's bundle."""
    given = copied(tmp_path)
    change(tmp_path, node={"volume": VOLUME})
    given["releases"]["demo1"]["nodes"][ROLE]["volumes"] = {"pages": {"sizeGib": 1}}
    (tmp_path / PAGE).write_text("{{ volume_ids.pages }} {{ hostname }}")
    plan = plan_of(given, tmp_path)
    with pytest.raises(pulumi.RunError, match=rf"^{PAGE}: line 1: 'hostname' is undefined$"):
        declared.run(lambda: Deployment(plan, SECRETS), "local", preview=True)


def refusal(plan: Plan) -> str:
    """Return what is said of a configuration that cannot be rendered, in one line."""
    with pytest.raises(RenderError) as caught:
        bundle(example_node(plan), plan, stacks.secrets_of("local"), {})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_too_many_packages_are_refused_in_one_line(tmp_path: Path) -> None:
    given = copied(tmp_path)
    change(tmp_path, packages=[f"a-package-with-a-long-name-{number}" for number in range(1000)])
    plan = plan_of(given, tmp_path)
    with pytest.raises(RenderError, match=r"the bootstrap of demo1-about has \d+ characters, more than 43000"):
        bootstrap(example_node(plan), plan, stacks.secrets_of("local"))


def test_the_programs_descriptions_are_no_access() -> None:
    assert not FileChange("cloudinit/web/role.yaml", "changed").is_access


def test_engine_and_idr_read_the_folder_beside_the_stack_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = copied(tmp_path) | {"stackSecret": "a stack secret of this test, 32 letters or more"}
    plain = {f"idr:{key}": json.dumps(v) if isinstance(v, dict | list) else str(v) for key, v in given.items()}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pulumi.get_stack", lambda: "local")
    engine_config.set_all_config(plain, ["idr:stackSecret"])
    try:
        by_engine, _ = load()
    finally:
        engine_config.set_all_config({})
    lines = {key: value for key, value in plain.items() if key != "idr:stackSecret"}
    (tmp_path / "Pulumi.local.yaml").write_text(
        json.dumps({"config": {key: _read(text) for key, text in lines.items()}})
    )
    (tmp_path / "Pulumi.yaml").write_bytes((stacks.ROOT / "Pulumi.yaml").read_bytes())
    monkeypatch.setattr("idr.checkout.ROOT", tmp_path)
    by_idr = stack_file.read("local", tmp_path).settings
    assert [role.path for role in by_engine.site_roles] == [role.path for role in by_idr.site_roles] == ["site/about"]


def _read(text: str) -> Any:
    return json.loads(text) if text.startswith(("{", "[")) else text
