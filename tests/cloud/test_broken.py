"""A fault in an update gives one clear message, visitors are served meanwhile, and the next correct update completes.

tests/soak/test_broken.py has more such faults.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.cloud.asking import asking
from harness.cloud.tenant import Tenant
from harness.steps import lines_of

pytestmark = pytest.mark.cloud

PROXY = "demo1-proxy"
BACK = "The previous configuration is back in force."
NGINX = "cloudinit/proxy/files/etc/nginx/conf.d/gzip.conf"


def refusal(stack: Tenant, node: str) -> str:
    """Return the output of an `up` that one node refuses; it names that node alone, and no page fails."""
    with asking(stack.service()) as asked:
        done = stack.up()
    assert done.returncode != 0, done.stdout
    assert asked.failures == []
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    messages = [line for line in lines if line.startswith("idr-apply: ")]
    assert len(messages) == 1, lines
    assert messages[0].startswith(f"idr-apply: {node}: role ")
    assert "Traceback" not in lines
    return done.stdout + done.stderr


def corrected(stack: Tenant, *nodes: str) -> None:
    """Check that the next `up` completes: it configures these nodes, and visitors are served."""
    steps = stack.apply()
    assert lines_of(steps) == sorted(f"update Command {node}" for node in nodes)
    with asking(stack.service()) as asked:
        pass
    assert asked.failures == []


@contextmanager
def edited(stack: Tenant, file: str, old: str, new: str) -> Iterator[None]:
    """Change a text in a file of the project's copy while the block runs."""
    path = stack.folder / file
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    try:
        yield
    finally:
        path.write_text(before)


def test_an_invalid_line_for_nginx_is_named_with_its_key(second: Tenant) -> None:
    with edited(second, NGINX, "gzip_vary on;", "gzip_varyy on;"):
        text = refusal(second, PROXY)
    assert "role proxy: check failed" in text
    line = (second.folder / NGINX).read_text().splitlines().index("gzip_vary on;") + 1
    assert f'unknown directive "gzip_varyy" in /etc/nginx/conf.d/gzip.conf:{line}' in text
    assert BACK in text
    with edited(second, NGINX, "gzip_vary on;", "gzip_vary off;"):
        corrected(second, PROXY)
    corrected(second, PROXY)
