"""A site's static pages on a running proxy: fetched by their sum, exchanged, left alone by an archive that is wrong.

In this order: each test goes on from where the one before it has come to.
"""

import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cloud.tenant import Tenant
from harness.steps import lines_of
from tests.cloud import downloads
from tests.cloud.test_broken import BACK, corrected, refusal

pytestmark = pytest.mark.cloud

PROXY = "demo1-proxy"
WRONG = "0" * 64


@pytest.fixture(scope="module")
def base(second: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the archives are; afterwards the site has no pages."""
    folder = tmp_path_factory.mktemp("archives")
    for name in ("old", "new"):
        packed(folder / f"{name}.tar.gz", f"<h1>The {name} pages</h1>\n".encode())
    with downloads.served(folder) as url:
        yield url
    second.configure(idr_site=None)
    second.apply()


def packed(file: Path, page: bytes) -> None:
    """Write an archive with one page."""
    about = tarfile.TarInfo("index.html")
    about.size = len(page)
    with tarfile.open(file, "w:gz") as tar:
        tar.addfile(about, io.BytesIO(page))


def wanted(stack: Tenant, url: str, **more: str) -> None:
    """Set the site's pages."""
    stack.configure(idr_site={"pages": {"url": url, "path": "/about/", **more}})


def pinned(stack: Tenant) -> None:
    """Have `idr pin` write the sum."""
    done = stack.run(sys.executable, "-m", "idr", "pin", "--stack", stack.stack)
    assert done.returncode == 0, done.stdout + done.stderr


def shown(stack: Tenant) -> str:
    """What visitors see."""
    with stack.service().browser() as visitor:
        answer = visitor.get("about/")
        return answer.text if answer.status_code == 200 else str(answer.status_code)


def test_pages_are_served_by_their_sum(second: Tenant, base: str) -> None:
    wanted(second, f"{base}/old.tar.gz")
    pinned(second)
    assert lines_of(second.apply()) == [f"update Command {PROXY}"]
    assert shown(second) == "<h1>The old pages</h1>\n"


def test_a_wrong_sum_is_one_message_and_the_old_pages_are_served(second: Tenant, base: str) -> None:
    wanted(second, f"{base}/new.tar.gz", sha256=WRONG)
    text = refusal(second, PROXY)
    assert f"site.pages: {base}/new.tar.gz has SHA-256 " in text
    assert f"the settings say {WRONG}; not unpacked" in text
    assert BACK in text
    assert shown(second) == "<h1>The old pages</h1>\n"


def test_an_archive_that_is_not_there_is_one_message_and_the_old_pages_are_served(second: Tenant, base: str) -> None:
    wanted(second, f"{base}/none.tar.gz", sha256=WRONG)
    text = refusal(second, PROXY)
    assert f"{base}/none.tar.gz" in text
    assert BACK in text
    assert shown(second) == "<h1>The old pages</h1>\n"


def test_the_right_sum_brings_the_new_pages(second: Tenant, base: str) -> None:
    wanted(second, f"{base}/new.tar.gz")
    pinned(second)
    corrected(second, PROXY)
    assert shown(second) == "<h1>The new pages</h1>\n"


def test_without_them_their_address_is_closed(second: Tenant, base: str) -> None:
    assert base
    second.configure(idr_site=None)
    second.apply()
    assert shown(second) == "404"
