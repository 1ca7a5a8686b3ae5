"""Mistakes in a site's own role: each gives one line, with the file and the field."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.reading import SettingsError
from model.roles import Role
from model.site_files import NO_TEXT
from tests.site_roles import ROLE, VOLUME, change, copied, plan_of


def node(**fields: Any) -> Callable[[Path], None]:
    return lambda folder: change(folder, node=fields)


def describing(**fields: Any) -> Callable[[Path], None]:
    return lambda folder: change(folder, **fields)


def text(path: str, content: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        file = folder / "site" / ROLE / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    return write


def data(path: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "site" / ROLE / path).write_bytes(b"\x89PNG\r\n\x1a\n\0")

    return write


def without(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "site" / ROLE / path).unlink()


def named(name: str) -> Callable[[Path], None]:
    def rename(folder: Path) -> None:
        (folder / "site" / ROLE).rename(folder / "site" / name)

    return rename


def flow(**fields: Any) -> Callable[[Path], None]:
    return describing(flows=[{"ports": [8443], "why": "a reason"} | fields])


def service(unit: str, **fields: Any) -> Callable[[Path], None]:
    return describing(services=[{"unit": unit, "restartOn": ["/etc/about/"]} | fields])


def location(path: str) -> Callable[[Path], None]:
    return describing(locations=[{"path": path, "port": 8443}])


def first(path: str) -> Callable[[Path], None]:
    return describing(answersFirst=[{"path": path, "port": 8443}])


YAML = "site/about/role.yaml"
FIRST_LINE = "must begin with the program that runs it, as in #!/bin/bash, in a line that ends as on Unix"
UNIT = "must be a unit of systemd; {postgresql} in it is the version of PostgreSQL that the node's system has (given: '--now')"
NOT_KEPT = "is a cached answer of OMERO.web: name addresses that model/addresses.yaml has under a kind"
END = f"must be world, node (every node), a role ({', '.join(Role)}, about) or a network as in 192.0.2.0/24"
PATH = "must be a path as in /about/: plain letters, no dot first, a slash last"
TAKEN = "cannot have this name: it is that of a role or a group of the program"
WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "no description": (
        without("role.yaml"),
        "site/about: has no role.yaml: siteRoles names a folder, and each folder in that one is a role",
    ),
    "a field that is none": (
        describing(colour="blue"),
        f"{YAML}: colour: is not a setting; docs/site-roles.md has all",
    ),
    "a misspelt field of a location": (
        describing(locations=[{"path": "/about/", "prot": 8443}]),
        f"{YAML}: locations.0.port: is required\n{YAML}: locations.0.prot: is not a setting; did you mean 'port'?",
    ),
    "a list instead of fields": (text("role.yaml", "[]\n"), f"{YAML}: must be a mapping of keys to values"),
    "a feature that is none": (
        describing(packagesWith={"acmee": ["nginx"]}),
        f"{YAML}: packagesWith.acmee: must be one of 'acme', 's3', 'localStorage', 'pages' (given: 'acmee')",
    ),
    "a package that apt would remove": (
        describing(packages=["nginx-"]),
        f"{YAML}: packages.0: must be a package of the distribution; {{java}} in it is the version of Java that the "
        "node's system has (given: 'nginx-')",
    ),
    "a health test without an end": (
        describing(healthSeconds=10**9),
        f"{YAML}: healthSeconds: must be at most 86400 (given: 1000000000)",
    ),
    "no node": (text("role.yaml", "packages: [nginx]\n"), f"{YAML}: node: is required"),
    "the name of a role": (named("database"), f"site/database: {TAKEN}"),
    "the name of a role that no stack file names": (named("common"), f"site/common: {TAKEN}"),
    "the name of an end of flows": (named("world"), f"site/world: {TAKEN}"),
    "the name of a group": (named("omero"), f"site/omero: {TAKEN}"),
    "a name that is none": (
        named("About"),
        "site/About: must have a name of 2 to 30 lower-case letters, digits and dashes, a letter first",
    ),
    "the group of a role": (
        describing(inventoryGroup="database"),
        f"{YAML}: inventoryGroup: 'database-hosts' is a group of the program or of Ansible: name another",
    ),
    "a group of Ansible": (
        describing(inventoryGroup="all"),
        f"{YAML}: inventoryGroup: 'all-hosts' is a group of the program or of Ansible: name another",
    ),
    "an address of a role": (
        node(firstHost=60),
        f"{YAML}: node.firstHost: 60 to 69 overlaps the addresses of management",
    ),
    "a number per release": (
        node(perRelease="exactly one"),
        f"{YAML}: node.perRelease: must be 'at most one' or 'any': a release is whole without it",
    ),
    "another tier": (
        node(tier="store"),
        f"{YAML}: node.tier: must be 'service': the diagram does not know other places of a site's own role",
    ),
    "what is applied for it": (
        node(applies={"demo": ["nfs"]}),
        f"{YAML}: node.applies: only the program's roles have it",
    ),
    "what is applied with it": (
        node(appliesWith={"pages": ["about"]}),
        f"{YAML}: node.appliesWith: only the program's roles have it",
    ),
    "an interruption": (
        node(interruption={"order": 9, "what": "pages fail", "replacementSeconds": 9}),
        f"{YAML}: node.interruption: only the program's roles have it",
    ),
    "no role beside it": (
        describing(beside=["omero"]),
        f"{YAML}: beside: 'omero' is no other role of a release's nodes",
    ),
    "itself beside it": (describing(beside=[ROLE]), f"{YAML}: beside: '{ROLE}' is no other role of a release's nodes"),
    "the bastion beside it": (
        describing(beside=["bastion"]),
        f"{YAML}: beside: 'bastion' is no other role of a release's nodes",
    ),
    "a flow with both ends": (
        flow(**{"from": "proxy", "to": "web"}),
        f"{YAML}: flows.0: name either `from` (who calls the role) or `to` (whom it calls)",
    ),
    "a flow with no end": (flow(), f"{YAML}: flows.0: name either `from` (who calls the role) or `to` (whom it calls)"),
    "a flow to itself": (flow(to=ROLE), f"{YAML}: flows.0.to: is the role itself: name the other end"),
    "a flow to nobody": (flow(to="serach"), f"{YAML}: flows.0.to: {END} (given: 'serach')"),
    "the world as a network": (flow(**{"from": "0.0.0.0/0"}), f"{YAML}: flows.0.from: say world (given: '0.0.0.0/0')"),
    "a port of every node": (
        flow(**{"from": "web", "ports": [22]}),
        f"{YAML}: port 22: every node listens there already",
    ),
    "a port with and without TLS": (
        describing(metrics={"port": 8443, "tls": False}),
        f"{YAML}: port 8443: cannot answer both with and without TLS: set `tls` to the same everywhere",
    ),
    "an option instead of a unit": (service("--now"), f"{YAML}: services.0.unit: {UNIT}"),
    "a unit of a role": (service("nginx.service"), f"{YAML}: services.0.unit: 'nginx' is a unit of proxy"),
    "a unit of every node": (service("ssh"), f"{YAML}: services.0.unit: 'ssh' is a unit of every node"),
    "a unit twice": (
        describing(services=[{"unit": "about-page"}, {"unit": "about-page.service"}]),
        f"{YAML}: services.1.unit: 'about-page' is there already",
    ),
    "a restart for nothing": (
        service("about-page", restartOn=["/etc/abuot/"]),
        f"{YAML}: services.0.restartOn: no file of files.yaml begins with /etc/abuot/",
    ),
    "a reload for nothing": (
        service("about-page", reloadOn=["/etc/abuot/"]),
        f"{YAML}: services.0.reloadOn: no file of files.yaml begins with /etc/abuot/",
    ),
    "a page of OMERO.web": (
        location("/webclient/about/"),
        f"{YAML}: locations.0.path: /webclient/about/ would hide /webclient, which is the program's own",
    ),
    "a closed page": (
        location("/webadmin/"),
        f"{YAML}: locations.0.path: /webadmin/ would hide /webadmin, which is the program's own",
    ),
    "what programs ask": (
        location("/omero-ws/"),
        f"{YAML}: locations.0.path: /omero-ws/ would hide /omero-ws, which is the program's own",
    ),
    "the whole site": (
        location("/"),
        f"{YAML}: locations.0.path: {PATH} (given: '/')",
    ),
    "an expression": (
        location("/about.*/"),
        f"{YAML}: locations.0.path: {PATH} (given: '/about.*/')",
    ),
    "the authority's challenge": (
        location("/.well-known/"),
        f"{YAML}: locations.0.path: {PATH} (given: '/.well-known/')",
    ),
    "pages with a session": (
        first("/webclient/"),
        f"{YAML}: answersFirst.0.path: not all that begins with /webclient/ {NOT_KEPT}",
    ),
    "what is closed": (
        first("/webgateway/render_ome_tiff/"),
        f"{YAML}: answersFirst.0.path: not all that begins with /webgateway/render_ome_tiff/ {NOT_KEPT}",
    ),
    "what OMERO.web has not": (
        first("/webgateway/render_nothing/"),
        f"{YAML}: answersFirst.0.path: not all that begins with /webgateway/render_nothing/ {NOT_KEPT}",
    ),
    "files of OMERO.web": (
        first("/static/"),
        f"{YAML}: answersFirst.0.path: not all that begins with /static/ {NOT_KEPT}",
    ),
    "a volume of the program": (
        node(volume=VOLUME | {"name": "db"}),
        f"{YAML}: node.volume.name: 'db' is a volume of the program",
    ),
    "a volume over the system": (
        node(volume=VOLUME | {"mount": "/etc"}),
        f"{YAML}: node.volume.mount: must be below /srv, where nothing of the program is (given: '/etc')",
    ),
    "a volume with another variable": (
        node(volume=VOLUME | {"ansibleVariable": "pages"}),
        f"{YAML}: node.volume.ansibleVariable: leave it out: it is pages_vol_dev for a site's own role",
    ),
    "a volume whose name is no variable": (
        node(volume=VOLUME | {"name": "old-pages"}),
        f"{YAML}: node.volume.name: must have no dashes: an Ansible variable has this name (given: 'old-pages')",
    ),
    "no health test": (
        without("scripts/health"),
        "site/about/scripts/health: is missing: an update ends when this test of the role succeeds",
    ),
    "a watch over nothing": (
        text("scripts/watch-abuot", "#!/bin/bash\n"),
        "site/about/scripts/watch-abuot: watches a unit that is not among `services` and `units` of role.yaml",
    ),
    "a script with a name of two lines": (
        text("scripts/a\nb", "x\n"),
        "site/about/scripts/'a\\nb': must have a name of letters, digits, dots, dashes and underscores",
    ),
    "a list instead of files": (
        text("files.yaml", "[]\n"),
        "site/about/files.yaml: must be a mapping of keys to values",
    ),
    "no list of files": (
        without("files.yaml"),
        "site/about/files.yaml: is missing; `{}` says that the role has no files",
    ),
    "a file without a source": (
        without("files/srv/about/index.html.j2"),
        "site/about/files.yaml: /srv/about/index.html: there is no files/srv/about/index.html, nor "
        "files/srv/about/index.html.j2",
    ),
    "a step without a program": (
        text("scripts/prepare", "set -e\nmkdir -p /srv/about\n"),
        f"site/about/scripts/prepare: {FIRST_LINE}",
    ),
    "a step with the line ends of Windows": (
        text("scripts/prepare", "#!/bin/bash\r\nset -e\r\n"),
        f"site/about/scripts/prepare: {FIRST_LINE}",
    ),
    "a check without a program": (
        text("scripts/watch-about-page", "true\n"),
        f"site/about/scripts/watch-about-page: {FIRST_LINE}",
    ),
    "a folder among scripts": (text("scripts/more/x", "x\n"), "site/about/scripts/more: is no file"),
    "a script that is no text": (data("scripts/.prepare.swp"), f"site/about/scripts/.prepare.swp: {NO_TEXT}"),
    "a file that is no text": (
        data("files/srv/about/index.html.j2"),
        f"site/about/files/srv/about/index.html.j2: {NO_TEXT}",
    ),
    "a file that is not listed": (
        text("files/etc/about/more.conf", "# More.\n"),
        "site/about/files/etc/about/more.conf: is not in files.yaml",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_role_is_one_line_with_file_and_field(case: str, tmp_path: Path) -> None:
    put, message = WRONG[case]
    given = copied(tmp_path)
    put(tmp_path)
    with pytest.raises(SettingsError) as caught:
        plan_of(given, tmp_path)
    assert str(caught.value) == message


def test_where_users_log_in_no_role_answers_for_omero_web(tmp_path: Path) -> None:
    # Cached answers are private there, and the role does not know who asks.
    given = copied(tmp_path)
    change(tmp_path, locations=None, answersFirst=[{"path": "/webgateway/render_image/", "port": 8443}])
    plan_of(given, tmp_path)
    with pytest.raises(SettingsError) as caught:
        plan_of(given | {"visitors": "login"}, tmp_path)
    message = "releases.demo1: visitors: login: about answers without knowing who asks; remove it"
    assert str(caught.value) == f"Pulumi.local.yaml: idr: {message}"


def test_one_role_answers_an_address_first(tmp_path: Path) -> None:
    given = copied(tmp_path, ROLE, "other")
    for role in (ROLE, "other"):
        change(tmp_path, role, locations=None, answersFirst=[{"path": "/webgateway/render_image/", "port": 8443}])
    with pytest.raises(SettingsError) as caught:
        plan_of(given, tmp_path)
    nested = "/webgateway/render_image/ and /webgateway/render_image/ of about are one inside the other"
    assert f"site/other/role.yaml: locations: {nested}" in str(caught.value).splitlines()
