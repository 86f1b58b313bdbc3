"""A stand-in API server for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kube.apiserver import ApiServer, start_api_server


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    """An empty cluster of the newest Kubernetes version known."""
    running = start_api_server(tmp_path)
    yield running
    running.stop()
