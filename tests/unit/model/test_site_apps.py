"""Applications of a site beside OMERO.web: their settings, and the files of the nodes."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from cloudinit.disclosure import disclosure
from harness import rendered, stacks
from model import addresses, content_policy, expressions
from model.addons import WEB
from model.plan import Plan
from model.planning import plan
from model.reading import SettingsError, Source, parse
from model.roles import Role
from model.site_apps import Answer
from tests.parade import of_guide
from tests.unit.model.test_web_apps import loaded, texts

HASH = f"--hash=sha256:{'0' * 64}"
LOCK = f"omero-parade==0.2.4 \\\n    {HASH}\nsetuptools==80.9.0 {HASH}\n"
INSTALLED = "/usr/local/lib/idr/omero-web/requirements.txt"
OWN = WEB.lock.read_text()


def plan_with(folder: Path, web: dict[str, Any], lock: str = LOCK, stack: str = "multi-node") -> Plan:
    (folder / "site").mkdir(exist_ok=True)
    (folder / "site" / "web.lock").write_text(lock)
    values = {**stacks.values(stack), "web": web}
    return plan(parse(values, Source(stack, f"Pulumi.{stack}.yaml", folder=folder)), stack)


def with_app(about: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    """Return the setting of OMERO.web with one application of the site."""
    app = {"django": "tags", "addresses": [{"path": "^$", "answer": "page"}], **(about or {})}
    return {"requirements": "site/web.lock", "apps": ["tags"], "siteApps": {"tags": app}, **others}


def refusal(folder: Path, web: dict[str, Any], **how: Any) -> str:
    with pytest.raises(SettingsError) as error:
        plan_with(folder, web, **how)
    return str(error.value)


def proxy(stack_plan: Plan) -> dict[str, str]:
    return rendered.files(stack_plan.releases[0].with_role(Role.PROXY)[0], stack_plan, stacks.secrets_of("multi-node"))


def test_omero_web_loads_it_after_the_programs_own(tmp_path: Path) -> None:
    config = loaded(plan_with(tmp_path, of_guide()))
    assert config["omero.web.apps"] == ["omero_iviewer", "omero_parade"]
    assert config["omero.web.ui.center_plugins"] == [["Parade", "omero_parade/init.js.html", "omero_parade"]]


def test_its_packages_are_in_the_one_environment_each_once(tmp_path: Path) -> None:
    numpy = re.search(r"^numpy==\S+", OWN, re.MULTILINE)
    assert numpy
    stack_plan = plan_with(tmp_path, of_guide(), LOCK + f"{numpy[0]} {HASH}\n")
    packages = texts(stack_plan)[INSTALLED]
    assert packages == OWN + f"omero-parade==0.2.4 {HASH}\nsetuptools==80.9.0 {HASH}\n"
    assert texts(plan_with(tmp_path, {}))[INSTALLED] == OWN


def test_another_version_than_omero_webs_own_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, of_guide(), lock=f"Django==4.2 {HASH}\n")
    assert re.search(r"site/web.lock: Django==4.2 is 5\S+ in OMERO.web's own environment; run `idr pin`", message)


def test_another_version_of_an_application_replaces_the_programs(tmp_path: Path) -> None:
    stack_plan = plan_with(
        tmp_path, {"apps": ["iviewer"], "requirements": "site/web.lock"}, f"omero_iviewer==0.20.0 {HASH}\n"
    )
    packages = texts(stack_plan)[INSTALLED].splitlines()
    assert [line for line in packages if "iviewer" in line] == [f"omero_iviewer==0.20.0 {HASH}"]
    own = re.findall(r"^([a-z0-9-]+==\S+)", OWN, re.MULTILINE)
    assert {one for one in own if "iviewer" not in one} == {line.split()[0] for line in packages} - {
        "omero_iviewer==0.20.0"
    }


def test_the_proxy_and_omero_web_open_what_the_stack_file_lists_and_nothing_else(tmp_path: Path) -> None:
    stack_plan = plan_with(tmp_path, of_guide())
    opened = proxy(stack_plan)["/etc/nginx/conf.d/addresses.conf"]
    assert '    "~^/parade/api/fields//?$" api/parade_2;\n' in opened
    assert '"~^\\w+/parade_2\\?' in opened
    assert '    "~^/parade/filters//?$" page/any;\n' in opened
    own_filter = loaded(stack_plan)["omero.web.public.url_filter"]
    for path, is_open in {
        "/parade/": False,
        "/parade/filters/": True,
        "/parade/search/": False,
        "/parade/x/": False,
    }.items():
        assert bool(re.search(own_filter, path)) == is_open, path


def test_users_who_log_in_may_ask_what_is_closed_to_the_public(tmp_path: Path) -> None:
    app = plan_with(tmp_path, of_guide()).settings.web.own()[0]
    of_site = addresses.opened_for_users([], app.addresses)
    assert {"search/"} == {one.regex.removeprefix("parade/") for one in of_site if "parade/search" in one.regex}
    assert {one.answer for one in of_site if one.app == "parade"} == {addresses.PAGE}


def test_its_pages_may_load_what_the_stack_file_says(tmp_path: Path) -> None:
    stack_plan = plan_with(tmp_path, with_app({"origins": {"img-src": ["https://www.example.org"]}}))
    assert "img-src 'self' data: blob: https://www.example.org" in content_policy.of(
        stack_plan.settings.apps_of(stack_plan.releases[0].name)
    )


def test_one_at_the_root_has_the_first_page(tmp_path: Path) -> None:
    about = {
        "django": "our.first",
        "root": True,
        "addresses": [{"path": "^$", "answer": "page"}, {"path": "news/<int:number>/", "answer": "page"}],
    }
    config = loaded(stack_plan := plan_with(tmp_path, with_app(about)))
    assert (config["omero.web.apps"], config["omero.web.root_application"]) == (["our.first"], "first")
    assert '"~^/news/[0-9]+//?$" page/any;' in proxy(stack_plan)["/etc/nginx/conf.d/addresses.conf"]


def test_what_a_pattern_has_beside_its_alternatives_stays_with_each(tmp_path: Path) -> None:
    web = with_app({"addresses": [{"path": "^a/|b/$", "answer": "page"}]})
    pattern = loaded(plan_with(tmp_path, web))["omero.web.public.url_filter"]
    assert not re.search(pattern, "/b/")
    assert re.search(pattern, "/tags/b/")


def test_a_release_may_leave_it_out(tmp_path: Path) -> None:
    values = {**stacks.values("multi-node"), "web": with_app()}
    next(iter(values["releases"].values()))["web"] = {"apps": []}
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "web.lock").write_text(LOCK)
    stack_plan = plan(parse(values, Source("multi-node", "Pulumi.multi-node.yaml", folder=tmp_path)), "multi-node")
    assert "omero.web.apps" not in loaded(stack_plan)
    assert "~^/tags/" not in proxy(stack_plan)["/etc/nginx/conf.d/addresses.conf"]


def test_a_review_sees_its_packages_and_its_description(tmp_path: Path) -> None:
    def shown(web: dict[str, Any]) -> dict[str, Any]:
        return disclosure(plan_with(tmp_path, web), stacks.secrets_of("multi-node"), verifies_cloud=True)

    first, other = shown(with_app()), shown(with_app({"addresses": [{"path": "^.*$", "answer": "page"}]}))
    assert first["files"]["site/web.lock"] == hashlib.sha256(LOCK.encode()).hexdigest()
    assert first["omero"]["web.siteApps.tags"] != other["omero"]["web.siteApps.tags"]
    assert "web.siteApps.tags" not in json.dumps(shown({}))


def test_every_kind_of_the_cache_may_be_named_but_static_files() -> None:
    used = {address.answer for address in addresses.table()}
    assert set(Answer) == used - {addresses.STATIC}


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"addresses": []}, "addresses: name at least one"),
        ({"addresses": [{"path": "^(a/$", "answer": "page"}]}, "is no regular expression"),
        ({"addresses": [{"path": "^a'/$", "answer": "page"}]}, "must be a pattern as in the application's urls.py"),
        ({"addresses": [{"path": '^a" b/$', "answer": "page"}]}, "must be a pattern as in the application's urls.py"),
        ({"addresses": [{"path": r"^a\Z/$", "answer": "page"}]}, "nginx may read"),
        ({"addresses": [{"path": "a/<str:x>/", "answer": "page"}]}, "Django's <int:name> and <slug:name> are taken"),
        ({"addresses": [{"path": "a/<int:x/", "answer": "page"}]}, "has a < that is not closed"),
        ({"addresses": [{"path": "^$", "answer": "static"}]}, "answer"),
        ({"config": {"omero.web.apps": ["x"]}}, "config: 'omero.web.apps' is not for a stack file: set web.apps"),
        ({"append": {"omero.web.middleware": [{}]}}, "append: 'omero.web.middleware' is not for a stack file"),
        ({"config": {"omero.web.page_size": "x"}}, "config: 'omero.web.page_size' must be a whole number"),
        ({"origins": {"script-src": ["https://www.example.org"]}}, "origins"),
        ({"origins": {"img-src": ["*"]}}, "must be another site, as in https://"),
        ({"label": "webclient"}, "web.siteApps.tags: its /webclient/ would hide /webclient"),
        ({"label": "static"}, "would hide /static"),
        ({"root": True, "addresses": [{"path": r"^\w+/$", "answer": "page"}]}, "begins with a plain word and a slash"),
        ({"root": True, "addresses": [{"path": "^api/$", "answer": "page"}]}, "its /api/ would hide /api"),
        ({"addresses": [{"path": r"^(\w+/?)*$", "answer": "page"}]}, r"addresses.0: path: ^(\w+/?)*$ repeats a group"),
        (
            {"addresses": [{"path": "^(?P<n>.*)-(.*)-(.*)x$", "answer": "page"}]},
            "has repeats in a row for the same characters",
        ),
        (
            {"addresses": [{"path": "^$", "answer": "page"}, {"path": "^$", "answer": "closed"}]},
            "idr:web.siteApps.tags: addresses: '^$' is there twice",
        ),
        (
            {"addresses": [{"path": "^a/$", "answer": "page"}, {"path": "a/", "answer": "api"}]},
            "'a/' is there twice, first as '^a/$'",
        ),
        ({"addresses": [{"path": "/tags/", "answer": "page"}]}, "path: /tags/: is what follows the application's own"),
        ({"addresses": [{"path": "^/$", "answer": "page"}]}, "as in its urls.py: no '/' first"),
        ({"append": {"omero.web.ui.center_plugin": [["A", "b"]]}}, "did you mean 'omero.web.ui.center_plugins'?"),
        ({"append": {"omero.web.ui.top_links": ["Tags", "tags"]}}, "must be a list whose entries are lists"),
        ({"append": {"omero.web.page_size": [1]}}, "append: 'omero.web.page_size' must be a whole number"),
        ({"config": {"omero.web.pagesize": 1}}, "config: 'omero.web.pagesize' is no key of OMERO.web; did you mean"),
        ({"django": "os; reboot"}, "must be the name of a module of Python"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, about: dict[str, Any], message: str) -> None:
    text = refusal(tmp_path, with_app(about))
    assert message in text
    assert len(text.splitlines()) <= 2


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (
            {"apps": ["tag"]},
            "web.apps: 'tag' is no application that is known (to add it: web.siteApps.tag, and its packages by "
            "web.requirements and `idr pin`); did you mean 'tags'?",
        ),
        ({"requirements": None}, "web.requirements: name the lock file with the packages of tags"),
        ({"apps": ["tags", "gallery"], "root": True}, "gallery and tags both have / for their page"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, others: dict[str, Any], message: str) -> None:
    about = {"root": others.pop("root", False)}
    assert message in refusal(tmp_path, with_app(about, **others))


def test_names_of_the_program_and_paths_of_the_site_are_taken(tmp_path: Path) -> None:
    app = {"django": "tags", "addresses": [{"path": "^$", "answer": "page"}]}
    text = refusal(tmp_path, {"siteApps": {"mapr": app}})
    assert "siteApps: 'mapr' is an application of the program" in text
    values = {**stacks.values("multi-node"), "web": with_app()}
    values["site"] = {"pages": {"url": "https://d.example.org/a.tgz", "path": "/tags/"}}
    with pytest.raises(SettingsError, match=r"web.siteApps.tags: /tags/ and /tags/ \(site.pages.path\) overlap"):
        parse(values, Source("multi-node", "Pulumi.multi-node.yaml", folder=tmp_path))


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ({"django": "our.tags"}, {"django": "our.tags"}, "siteApps.two.django: our.tags is 'one' already"),
        ({"django": "our.tags"}, {"django": "their.tags"}, "siteApps.two.label: 'one' has tags, too"),
        ({"django": "our.a", "root": True}, {"django": "their.a"}, "siteApps.two.label: 'one' has a, too"),
        ({"django": "our.tags"}, {"django": "omero_mapr"}, "siteApps.two.django: omero_mapr is 'mapr' already"),
    ],
)
def test_django_has_each_application_once(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], message: str
) -> None:
    address = {"addresses": [{"path": "^$", "answer": "page"}]}
    text = refusal(tmp_path, {"siteApps": {"one": first | address, "two": second | address}})
    assert f"idr:web: {message}" in text
    assert len(text.splitlines()) == 1


def test_the_programs_own_addresses_are_answered_at_once() -> None:
    regexes = {one.regex for one in addresses.table()}
    assert [problem for regex in regexes for problem in expressions.problems(regex, regex)] == []


def test_the_demo_takes_no_packages(tmp_path: Path) -> None:
    text = refusal(tmp_path, {"requirements": "site/web.lock"}, stack="local")
    assert "web.requirements: the demo's nodes have OMERO.web's packages from their image" in text
