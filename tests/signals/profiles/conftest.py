"""One house a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pilothouse.engine import Engine
from tests.signals.profiles.serving import House, running


@pytest.fixture(scope="module")
def house(files_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running(tmp_path_factory.mktemp("house"), files_engine) as opened:
        yield opened
