"""Every service of a release killed and frozen: each is back by itself. `make test` has the quick ones."""

import pytest

from tests.cloud.service import Service
from tests.cloud.test_healing import UNITS, heals_after_freeze, heals_after_kill

pytestmark = pytest.mark.cloud


@pytest.mark.parametrize("unit", UNITS)
def test_a_killed_service_is_back_within_a_minute(service: Service, unit: str) -> None:
    heals_after_kill(service, unit)


@pytest.mark.parametrize("unit", UNITS)
def test_a_frozen_service_is_back_within_a_minute_and_a_half(service: Service, unit: str) -> None:
    heals_after_freeze(service, unit)
