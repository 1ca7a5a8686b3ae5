"""Applications beside OMERO.web: the settings, and the files of nodes with OMERO.web."""

import json
import re
import shlex
from typing import Any

import pytest

from harness import rendered, stacks
from harness.stacks import ROOT
from model import addresses, content_policy, web_apps
from model.plan import Plan
from model.planning import plan
from model.reading import SettingsError, Source, parse
from model.roles import Role

CONFIG = "/opt/omero/web/config"
LOCK = (ROOT / "cloudinit" / "web" / "requirements.lock").read_text()
SECRETS = stacks.secrets_of("multi-node")


def plan_with(web: dict[str, Any], release: dict[str, Any] | None = None, group: dict[str, Any] | None = None) -> Plan:
    """Return the plan of a stack without applications, with `web` for the stack, its release and its nodes."""
    values = stacks.values("multi-node")
    values["web"] = web
    stack_plan = next(iter(values["releases"].values()))
    if release is not None:
        stack_plan["web"] = release
    if group is not None:
        next(group for group in stack_plan["nodes"].values() if Role.WEB in group["roles"])["web"] = group
    return plan(parse(values, Source("multi-node", "Pulumi.multi-node.yaml")), "multi-node")


def refusal(*levels: dict[str, Any]) -> str:
    """Return why a stack file with these settings is refused."""
    with pytest.raises(SettingsError) as error:
        plan_with(*levels)
    return str(error.value)


def texts(stack_plan: Plan) -> dict[str, str]:
    """Return the files of the first node with OMERO.web."""
    return rendered.files(stack_plan.releases[0].with_role(Role.WEB)[0], stack_plan, SECRETS)


def loaded(stack_plan: Plan) -> dict[str, Any]:
    """Return OMERO.web's configuration after `omero load`: values by key, lists for appended values."""
    config: dict[str, Any] = {}
    text = "".join(texts(stack_plan)[f"{CONFIG}/{name}.omero"] for name in ("idr", "workers"))
    for words in (shlex.split(line) for line in text.splitlines() if not line.startswith("#")):
        key, value = words[-2:]
        if "append" in words:
            was = config.get(key, [])
            config[key] = [*(json.loads(was) if isinstance(was, str) else was), json.loads(value)]
        else:
            config[key] = value
    return config


def test_a_stack_that_names_none_has_none() -> None:
    settings = loaded(plan_with({}))
    assert "omero.web.apps" not in settings
    assert "omero.web.open_with" not in settings


def test_omero_web_loads_them_in_its_own_order_and_the_gallery_is_at_the_root() -> None:
    settings = loaded(plan_with({"apps": ["gallery", "figure", "mapr", "iviewer"]}))
    assert settings["omero.web.apps"] == ["omero_mapr", "omero_iviewer", "idr_gallery", "omero_figure"]
    assert settings["omero.web.root_application"] == "idr_gallery"
    assert "omero.web.root_application" not in loaded(plan_with({"apps": ["figure"]}))


def test_each_brings_what_it_needs() -> None:
    settings = loaded(plan_with({"apps": ["iviewer", "mapr"]}))
    assert settings["omero.web.viewer.view"] == "omero_iviewer.views.index"
    assert [one[0] for one in settings["omero.web.open_with"]] == ["omero_iviewer"]
    assert [one[0] for one in settings["omero.web.ui.top_links"]][:3] == ["Data", "Help", "Genes"]
    menus = {one["menu"] for one in json.loads(settings["omero.web.mapr.config"])}
    linked = {one[1]["viewname"] for one in settings["omero.web.ui.top_links"] if isinstance(one[1], dict)}
    assert linked - {"webindex"} <= {f"maprindex_{menu}" for menu in menus}


def test_the_stack_files_own_configuration_counts_over_theirs() -> None:
    links = [["Data", "webindex"]]
    config = {"omero.web.viewer.view": "mine.views.viewer", "omero.web.ui.top_links": links}
    settings = loaded(plan_with({"apps": ["iviewer", "mapr"], "config": config}))
    assert settings["omero.web.viewer.view"] == "mine.views.viewer"
    assert json.loads(settings["omero.web.ui.top_links"]) == links


def test_a_release_may_have_others_or_none() -> None:
    assert loaded(plan_with({"apps": ["figure"]}, {"apps": ["mapr"]}))["omero.web.apps"] == ["omero_mapr"]
    assert "omero.web.apps" not in loaded(plan_with({"apps": ["figure"]}, {"apps": []}))
    assert loaded(plan_with({"apps": ["figure"]}, {"config": {}}))["omero.web.apps"] == ["omero_figure"]


def test_one_that_is_not_served_is_closed_in_omero_webs_filter_too() -> None:
    def opens(stack_plan: Plan, path: str) -> bool:
        return bool(re.search(loaded(stack_plan)["omero.web.public.url_filter"], path))

    for path in ("/figure/", "/figure/imgData/1/"):
        assert opens(plan_with({"apps": ["figure"]}), path)
        assert not opens(plan_with({"apps": ["iviewer", "gallery", "mapr"]}), path)
    assert not opens(plan_with({}), "/iviewer/")
    assert not opens(plan_with({"apps": [*web_apps.table()]}), "/iviewer/persist_rois/")


def test_a_stack_that_names_none_has_the_content_policy_that_it_had() -> None:
    policy = content_policy.of(())
    assert "https:" not in policy
    wider = content_policy.of(web_apps.named(["gallery"]))
    assert "frame-src 'self' https://www.youtube.com" in wider
    scripts = [text for text in (policy, wider) for text in text.split("; ") if text.startswith("script-src")]
    assert len(set(scripts)) == 1


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ([{"apps": ["iveiwer"]}], "did you mean 'iviewer'?"),
        ([{"apps": ["parade"]}], "there are: figure, gallery, iviewer, mapr"),
        ([{"apps": ["mapr", "mapr"]}], "entries 0 and 1 are the same"),
        ([{"apps": "mapr"}], "idr:web.apps"),
        ([{}, None, {"apps": ["mapr"]}], "apps"),
        ([{"config": {"omero.web.apps": ["omero_mapr"]}}], "set web.apps"),
        ([{"config": {"omero.web.root_application": "idr_gallery"}}], "set web.apps"),
        (
            [{"apps": ["mapr"], "config": {"omero.web.gallery.title": "x"}}],
            "web.config: 'omero.web.gallery.title' is of gallery, which is not in web.apps",
        ),
        (
            [{"apps": ["gallery"]}, {"apps": [], "config": {"omero.web.gallery.title": "x"}}],
            "'omero.web.gallery.title' is of gallery",
        ),
        ([{}, None, {"config": {"omero.figure.max_active_channels": 9}}], "is of figure, which is not in web.apps"),
        (
            [{"apps": ["gallery"], "config": {"omero.web.gallery.titel": "x"}}],
            "did you mean 'omero.web.gallery.title'?",
        ),
        ([{"apps": ["mapr"], "config": {"omero.web.mapr.config": "gene"}}], "must be a list or a mapping"),
        ([{"apps": ["iviewer"], "config": {"omero.web.iviewer.roi_page_size": "x"}}], "must be a whole number"),
    ],
)
def test_what_cannot_be_is_refused_by_name(levels: list[Any], message: str) -> None:
    text = refusal(*levels)
    assert message in text
    assert len(text.splitlines()) <= 3


def test_an_own_key_of_one_that_is_served_is_taken() -> None:
    stack_plan = plan_with({"apps": ["gallery"]}, None, {"config": {"omero.web.gallery.title": "Ours"}})
    assert loaded(stack_plan)["omero.web.gallery.title"] == "Ours"


def test_each_has_its_addresses_its_package_and_values_that_may_be() -> None:
    assert {address.app for address in addresses.table()} == {"", *web_apps.table()}
    for app in web_apps.table().values():
        assert re.search(rf"^{app.django.replace('_', '-')}==", LOCK, re.MULTILINE), app.name
        # As in a stack file: known, and of the right kind.
        plan_with({"apps": [app.name], "config": dict(app.config)})
