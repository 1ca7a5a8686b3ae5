"""What is refused of the files that a site's own role lists: one line, with the file and the entry."""

from pathlib import Path

import pytest

from model.reading import SettingsError
from tests.site_roles import ROLE, copied, plan_of

ABSOLUTE = "must be an absolute path, without '.' and '..'"
LISTED = {
    "a file of the program": (
        "/etc/nftables.conf: {source: files.yaml}",
        "/etc/nftables.conf: is a file of the role common",
    ),
    "another role's scripts": (
        "/usr/local/lib/idr/common/health: {source: files.yaml}",
        "/usr/local/lib/idr/common/health: is a file of the role common",
    ),
    "a source outside": (
        "/srv/about/x: {source: ../../../../etc/hostname}",
        "/srv/about/x: there is no ../../../../etc/hostname, in this role or (../<role>/...) in another",
    ),
    "a folder of the program": (
        "/etc/nginx: {source: files.yaml}",
        "/etc/nginx: cannot be a file: the role proxy has files in it",
    ),
    "a file in one of the program": (
        "/etc/nftables.conf/x: {source: files.yaml}",
        "/etc/nftables.conf/x: cannot be in /etc/nftables.conf, which is a file of the role common",
    ),
    "a script of its own": (
        "/usr/local/lib/idr/about/health: {source: files.yaml}",
        "/usr/local/lib/idr/about/health: is scripts/health on the machine",
    ),
    "the folder of its scripts": (
        "/usr/local/lib/idr/about: {source: files.yaml}",
        "/usr/local/lib/idr/about: cannot be a file: the scripts of roles are in it",
    ),
    "a source with a name that is too long": (
        f"/srv/about/x: {{source: {'a' * 300}}}",
        f"/srv/about/x.source: must be a path in this role, or in another as in ../<role>/files/... (given: '{'a' * 79}...)",
    ),
    "a path with a name that is too long": (
        f"/srv/{'a' * 300}: {{}}",
        f"/srv/{'a' * 300}: {ABSOLUTE} (given: '/srv/{'a' * 74}...)",
    ),
    "a file for everybody": (
        '/srv/about/x: {mode: "0666", source: files.yaml}',
        "/srv/about/x.mode: must be a mode as in \"0640\", in quotes, without write permission for others (given: '0666')",
    ),
    "a field that is none": (
        "/srv/about/x: {modus: '0644', source: files.yaml}",
        "/srv/about/x.modus: is not a setting; did you mean 'mode'?",
    ),
    "a mode as a number": (
        "/srv/about/x: {mode: 0640, source: files.yaml}",
        '/srv/about/x.mode: must be a mode in quotes, as in "0640": without quotes it is a number (given: 416)',
    ),
    "a path that leads back": (
        "/srv/about/../../etc/shadow: {source: files.yaml}",
        f"/srv/about/../../etc/shadow: {ABSOLUTE} (given: '/srv/about/../../etc/shadow')",
    ),
    "a path with a dot": (
        "/etc/./nftables.conf: {source: files.yaml}",
        f"/etc/./nftables.conf: {ABSOLUTE} (given: '/etc/./nftables.conf')",
    ),
    "a file in a file": (
        "/srv/about/index.html/x: {source: files.yaml}",
        "/srv/about/index.html/x: cannot be in /srv/about/index.html, which is a file",
    ),
    "a relative path": ("srv/x: {}", f"srv/x: {ABSOLUTE} (given: 'srv/x')"),
}


@pytest.mark.parametrize("case", LISTED)
def test_a_file_that_is_not_the_roles_to_have_is_refused(case: str, tmp_path: Path) -> None:
    line, message = LISTED[case]
    given = copied(tmp_path)
    file = tmp_path / "site" / ROLE / "files.yaml"
    file.write_text(f"{file.read_text()}{line}\n")
    with pytest.raises(SettingsError) as caught:
        plan_of(given, tmp_path)
    assert f"site/about/files.yaml: {message}" in str(caught.value).splitlines()


UNIT = "files/etc/systemd/system/about-page.service"


@pytest.mark.parametrize("expression", ["{{ node.address }}", '{{passwords["about/admin"]}}', "{{- plan.host_name }}"])
def test_a_template_without_its_ending_is_refused(tmp_path: Path, expression: str) -> None:
    given = copied(tmp_path)
    file = tmp_path / "site" / ROLE / UNIT
    file.write_text(f"{file.read_text()}# {expression}\n")
    with pytest.raises(SettingsError) as caught:
        plan_of(given, tmp_path)
    assert str(caught.value) == (
        f"site/about/{UNIT}: has an expression of a template: rename it to about-page.service.j2"
    )


def test_expressions_of_other_programs_are_no_mistake(tmp_path: Path) -> None:
    given = copied(tmp_path)
    file = tmp_path / "site" / ROLE / UNIT
    file.write_text(f"{file.read_text()}# {{{{ $labels.node }}}} {{{{ .Node.Name }}}} {{{{ nodes }}}}\n")
    assert plan_of(given, tmp_path)
