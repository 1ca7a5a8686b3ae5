"""The fake cloud is good enough for the real engine and provider: a stack is made, found unchanged, and deleted."""

from pathlib import Path

import openstack
import pytest

from tests.fake_cloud import contract
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.project import STACK, local_stack

pytestmark = pytest.mark.engine


def test_a_stack_is_made_left_alone_and_deleted(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        project = local_stack(cloud, tmp_path)
        made = project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
        assert made.returncode == 0, made.stdout
        assert len(cloud.store.all("servers")) == 5
        again = project.pulumi("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes", "--stack", STACK)
        assert again.returncode == 0, again.stdout
        project.change(lambda config: config.update({"idr:protectData": False}))
        assert project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK).returncode == 0
        gone = project.pulumi("destroy", "--yes", "--stack", STACK)
        assert gone.returncode == 0, gone.stdout
        assert [kind for kind in ("servers", "volumes", "ports", "routers") if cloud.store.all(kind)] == []


def test_it_refuses_what_openstack_refuses_and_keeps_nothing_of_it() -> None:
    with FakeCloud() as cloud:
        names = {"OS_USERNAME": "username", "OS_PASSWORD": "password", "OS_PROJECT_NAME": "project_name"}
        auth = {key: cloud.environment()[name] for name, key in names.items()}
        auth |= {"auth_url": cloud.auth_url, "user_domain_name": "Default", "project_domain_name": "Default"}
        api = openstack.connect(load_yaml_config=False, load_envvars=False, auth=auth, region_name="one")
        assert contract.refusals(api, "idr-debian-12", "local.small", "public", "nova") == contract.REFUSED
        kept = [kind for kind in ("servers", "volumes", "ports", "routers", "floatingips") if cloud.store.all(kind)]
        assert kept == []
