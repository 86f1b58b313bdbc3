"""What ClickHouse works out is what our evaluator works out, to the last edge."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pilothouse.engine import Engine
from pilothouse.signals.flushing import Intake
from pilothouse.signals.metrics.prometheus import catalogue
from pilothouse.signals.metrics.prometheus.gridding import GRIDS
from pilothouse.signals.metrics.prometheus.stored import StoredMetrics
from pilothouse.signals.metrics.promql import windowing
from pilothouse.signals.metrics.promql.engine import evaluate
from pilothouse.signals.metrics.promql.labels import Labels, labels_of
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher
from pilothouse.signals.metrics.promql.memory import MemoryStorage
from pilothouse.signals.metrics.promql.numbers import STALE
from pilothouse.signals.metrics.promql.planning import Grid
from pilothouse.signals.metrics.promql.selection import Windowing
from pilothouse.signals.receive.remote_write import RemoteWriteReceiver
from pilothouse.signals.storing import storings
from tests.signals.metrics.stored import settled, store_series

_MINUTE = 60_000


def test_series_that_come_while_a_query_is_asked_are_not_taken_for_others(
    files_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = (int(time.time()) // 60 - 2) * _MINUTE
    known, new = (
        [({NAME: "height", "kind": str(kind)}, [(end, float(kind))]) for kind in kinds]
        for kinds in (range(12), range(100, 140))
    )
    intake = Intake(files_engine, tmp_path / "journal", storings())
    intake.start()
    receiver, storage, matchers = (
        RemoteWriteReceiver(intake),
        StoredMetrics(files_engine),
        [Matcher(NAME, "=", "height")],
    )
    store_series(receiver, known)
    settled(intake)
    wanted = {labels_of(labels): samples[0][1] for labels, samples in known}

    def read() -> dict[Labels, float]:
        found = storage.select(matchers, end - _MINUTE, end)
        assert len(found.values) == len(found.labels) == len(wanted)
        return dict(zip(found.labels, found.values.tolist(), strict=True))

    assert read() == wanted
    monkeypatch.setattr(catalogue, "_FRESH", math.inf)
    store_series(receiver, new)
    settled(intake)
    intake.close()
    assert read() == wanted


@pytest.fixture(scope="module")
def both(files_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[StoredMetrics, MemoryStorage, int]:
    """The same samples in the engine and in memory, and the time of the last."""
    end = (int(time.time()) // 60 - 2) * _MINUTE
    memory = MemoryStorage()
    chance = random.Random(5)
    series = []
    for kind in range(12):
        labels = {NAME: "level", "kind": str(kind)}
        samples = list(_samples(kind, end, chance))
        series.append((labels, samples))
        for moment, value in samples:
            memory.add(labels_of(labels), moment, value)
    intake = Intake(files_engine, tmp_path_factory.mktemp("both") / "journal", storings())
    intake.start()
    store_series(RemoteWriteReceiver(intake), series)
    intake.close()
    return StoredMetrics(files_engine), memory, end


def _samples(kind: int, end: int, chance: random.Random) -> Iterator[tuple[int, float]]:
    """Counters with resets; on and off the grid; with gaps, NaN, stale markers, infinities."""
    value = 0.0
    for moment in range(end - 90 * _MINUTE, end + 1, 15_000):
        value = 0.0 if chance.random() < 0.03 else value + chance.randrange(10)
        if chance.random() < 0.05:
            continue
        odd = chance.random() < 0.03
        told = {3: math.nan, 4: STALE, 5: math.inf}.get(kind // 2, value) if odd else value
        yield moment + (chance.randrange(200) if kind % 2 else 0), told


@pytest.fixture(params=["memory", "engine"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who works windows out: C on samples in memory, or the engine."""
    if request.param == "engine":
        monkeypatch.setattr(windowing, "native", None)
    elif windowing.native is None:
        pytest.skip("not compiled here")
    return str(request.param)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", sorted((set(GRIDS) | windowing.FUNCTIONS) - {"latest"}))
def test_functions_agree(both: tuple[StoredMetrics, MemoryStorage, int], name: str) -> None:
    stored, memory, end = both
    for kinds, step, length in (("[0-9]", 60, "5m"), ("[0-9]", 47, "1m"), ("1[01]", 60, "5m"), (".*", 15, "37s")):
        query = f'{name}(level{{kind=~"{kinds}"}}[{length}])'
        grid = Grid(end - 80 * _MINUTE, end, step * 1000)
        _assert_same(stored, memory, query, grid)


@pytest.mark.usefixtures("way")
def test_instant_selectors_agree(both: tuple[StoredMetrics, MemoryStorage, int]) -> None:
    stored, memory, end = both
    for offset in ("", " offset 7m", " @ end()"):
        _assert_same(stored, memory, f"level{offset}", Grid(end - 85 * _MINUTE + 137, end + 6 * _MINUTE, 31_000))


def test_infinities_are_left_to_the_evaluator(
    both: tuple[StoredMetrics, MemoryStorage, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windowing, "native", None)
    stored, _, end = both
    windows = Windowing(end - 80 * _MINUTE, _MINUTE, 80, 5 * _MINUTE)
    assert stored.gridded("rate", [Matcher(NAME, "=", "level")], windows) is None
    assert stored.gridded("rate", [Matcher(NAME, "=", "level"), Matcher("kind", "=", "1")], windows) is not None


def _assert_same(stored: StoredMetrics, memory: MemoryStorage, query: str, grid: Grid) -> None:
    mine, theirs = (evaluate(storage, query, grid).matrix for storage in (stored, memory))
    assert mine is not None
    assert theirs is not None
    assert mine.labels == theirs.labels
    np.testing.assert_array_equal(mine.present, theirs.present)
    there = mine.present
    np.testing.assert_allclose(mine.values[there], theirs.values[there], rtol=1e-10, atol=1e-12)
