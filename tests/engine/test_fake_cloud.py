"""The fake cloud refuses what OpenStack refuses; tests/soak/test_fake_cloud.py asks OpenStack itself."""

import openstack
import pytest

from tests.fake_cloud import contract
from tests.fake_cloud.cloud import FakeCloud

pytestmark = pytest.mark.engine


def test_it_refuses_what_openstack_refuses_and_keeps_nothing_of_it() -> None:
    with FakeCloud() as cloud:
        names = {"OS_USERNAME": "username", "OS_PASSWORD": "password", "OS_PROJECT_NAME": "project_name"}
        auth = {key: cloud.environment()[name] for name, key in names.items()}
        auth |= {"auth_url": cloud.auth_url, "user_domain_name": "Default", "project_domain_name": "Default"}
        api = openstack.connect(load_yaml_config=False, load_envvars=False, auth=auth, region_name="one")
        assert contract.refusals(api, "idr-debian-12", "local.small", "public", "nova") == contract.REFUSED
        kept = [kind for kind in ("servers", "volumes", "ports", "routers", "floatingips") if cloud.store.all(kind)]
        assert kept == []
