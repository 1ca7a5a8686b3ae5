"""The long tests use the running services of tests/cloud, and one with every role, which is destroyed afterwards."""

from collections.abc import Iterator

import pytest

from harness import stacks
from harness.cloud import tenant
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from tests.cloud.conftest import pytest_terminal_summary, second, service
from tests.soak import shares
from tests.soak.shares import SharingNodes

__all__ = ["nodes", "pytest_terminal_summary", "second", "service", "whole"]

PROJECT = "idr-soak"


@pytest.fixture(scope="session")
def whole(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Start the release of `ebi` with every role, two read-only nodes and small sizes, in another project."""
    assert service.outputs
    stack = tenant.make(tmp_path_factory.mktemp("whole"), PROJECT)
    tenant.quota(PROJECT, **tenant.LARGE)
    releases = stacks.small_ebi()
    releases["demo1"]["nodes"]["omeroreadonly"]["count"] = 2
    stack.configure(idr_releases=releases)
    with stack.running():
        yield stack


@pytest.fixture(scope="module")
def nodes(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharingNodes]:
    """Start the release whose nodes share files by NFS, one for each file of tests that needs it."""
    assert service.outputs
    with shares.running(tmp_path_factory.mktemp("nfs")) as nodes:
        yield nodes
