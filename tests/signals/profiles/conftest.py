"""One house a module: opening an engine takes most of a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.signals.profiles.serving import House, running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running(tmp_path_factory.mktemp("house")) as opened:
        yield opened
