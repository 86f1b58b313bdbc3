"""What the tests of the demo share: a sink for telemetry, and the shop running against it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pilothouse.demo.leash import Leash
from pilothouse.demo.processes import Processes
from tests.demo.sink import Sink, running_sink


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    """A receiver that keeps all telemetry."""
    yield from running_sink()


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Child processes that end with the module's tests."""
    leash = Leash()
    with Processes(tmp_path_factory.mktemp("logs"), leash) as children:
        yield children
    leash.close()
