"""The long tests stand on the same running service as the cloud's."""

from tests.cloud.conftest import service

__all__ = ["service"]
