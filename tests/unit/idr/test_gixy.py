"""gixy's judgement of a site's own locations, and the commands that ask for it."""

import sys
from pathlib import Path

import pytest

from idr import gixy
from model.nginx_snippets import Snippet, read

GOOD = "location ^~ /docs/ {\n    proxy_pass http://192.0.2.7:8000;\n}\n"
SSRF = "location ^~ /docs/ {\n    proxy_pass http://$arg_host;\n}\n"
TRAVERSAL = "location /docs {\n    alias /srv/docs/;\n}\n"


def snippets(folder: Path, **texts: str) -> tuple[Snippet, ...]:
    (folder / "nginx").mkdir()
    for name, text in texts.items():
        (folder / "nginx" / f"{name}.nginx").write_text(text)
    return read("nginx", folder)


def test_what_is_safe_is_not_complained_about(tmp_path: Path) -> None:
    headers = (
        "location = /a {\n    include /etc/nginx/snippets/headers.conf;\n    add_header X-A 1;\n    return 204;\n}\n"
    )
    assert gixy.findings(snippets(tmp_path, good=GOOD, headers=headers)) == []
    assert gixy.findings(()) == []


def test_what_lets_visitors_choose_the_host_or_leave_the_folder_is_named_with_its_line(tmp_path: Path) -> None:
    findings = gixy.findings(snippets(tmp_path, good=GOOD, ssrf=SSRF, traversal=TRAVERSAL))
    assert [line.split(": gixy (high): ")[0] for line in findings] == [
        "nginx/ssrf.nginx: line 2",
        "nginx/traversal.nginx: line 2",
    ]
    assert 'variable "$arg_host" can contain untrusted user input' in findings[0]


def test_an_expression_that_an_address_could_keep_nginx_busy_with_is_named() -> None:
    # The model refuses these already.
    texts = {
        "asked": 'location /a {\n    if ($uri ~ "^/a(b+)+$") {\n        return 404;\n    }\n}\n',
        "changed": "location /b {\n    rewrite ^/b/(x|x)*y$ /c break;\n}\n",
    }
    findings = gixy.findings([Snippet(f"nginx/{name}.nginx", name, text) for name, text in texts.items()])
    assert [line.split(" (")[0] for line in findings] == [
        "nginx/asked.nginx: line 2: gixy",
        "nginx/changed.nginx: line 2: gixy",
    ]
    assert all("is vulnerable" in line for line in findings)


def test_without_gixy_nothing_passes_for_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    with pytest.raises(gixy.GixyError, match="gixy is not installed here"):
        gixy.findings(snippets(tmp_path, good=GOOD))


def test_what_is_no_answer_of_gixys_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gixy").write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    (tmp_path / "gixy").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    with pytest.raises(gixy.GixyError, match=r"did not judge idr:site\.locations: broken"):
        gixy.findings(snippets(tmp_path, good=GOOD))
