"""Scans every TCP port of the public addresses. `make test` scans those where a service listens."""

import pytest

from harness.cloud.service import Service
from tests.cloud import scan

pytestmark = pytest.mark.cloud


@pytest.mark.parametrize("endpoint", scan.OPEN)
def test_no_other_port_is_open_to_the_outside(service: Service, endpoint: str) -> None:
    expected = scan.OPEN[endpoint]
    assert scan.open_ports(service.address(endpoint), range(1, 65536), expected) == expected
