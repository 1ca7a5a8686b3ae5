"""Package sources come from apt's own configuration, and only Debian's."""

import platform
import subprocess
from types import SimpleNamespace

import pytest

from dev.image import sources
from dev.image.cache import BuildError

LISTING = """\
Debian|bookworm|http://mirror.example/debian/|main
Debian|bookworm|http://mirror.example/debian/|main
Debian|bookworm-security|http://mirror.example/debian-security/|main
Debian|bookworm|http://mirror.example/debian/|non-free
Docker|bookworm|http://docker.example/|stable
Debian|trixie|http://mirror.example/debian/|main
"""


def set_apt_sources(text: str, monkeypatch: pytest.MonkeyPatch, codename: str = "bookworm") -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"VERSION_CODENAME": codename})
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=text))


def test_debian_main_of_this_release_only(monkeypatch: pytest.MonkeyPatch) -> None:
    set_apt_sources(LISTING, monkeypatch)
    assert sources.source_lines() == [
        "deb http://mirror.example/debian/ bookworm main",
        "deb http://mirror.example/debian-security/ bookworm-security main",
    ]


def test_no_sources_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    set_apt_sources("", monkeypatch)
    with pytest.raises(BuildError, match="apt-get update"):
        sources.source_lines()


def test_another_system_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    set_apt_sources(LISTING, monkeypatch, codename="noble")
    with pytest.raises(BuildError, match="Debian 12"):
        sources.source_lines()


def test_only_settings_about_reaching_sources_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    dump = 'Acquire::http::Proxy "http://proxy.example:3128/";\nAcquire::Languages "none";\nAPT::Color "0";\n'
    set_apt_sources(dump, monkeypatch)
    assert sources.transport_options() == ['Acquire::http::Proxy "http://proxy.example:3128/"']
