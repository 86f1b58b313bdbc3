"""A stand-in API server for tests of live clusters."""

from tests.kube.conftest import api

__all__ = ["api"]
