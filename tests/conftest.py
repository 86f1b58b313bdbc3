"""What all tests share: an embedded engine, and a real server process on free ports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.engine import Engine, open_engine
from tests.running import RunningServer, start_server


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An embedded engine on an empty directory, with all tables."""
    opened = open_engine(tmp_path / "store")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """`pilothouse up` in a process of its own; shared by the tests of a module."""
    running = start_server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()
