"""Samples that stay in memory are those of the tables, whatever is stored between two questions."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pilothouse.engine import Engine
from pilothouse.engine.writing import NEVER, Writes
from pilothouse.signals import segment_rows
from pilothouse.signals.flushing import Intake
from pilothouse.signals.metrics.prometheus import catalogue, choosing, remembering
from pilothouse.signals.metrics.prometheus.held import Read, Rows
from pilothouse.signals.metrics.prometheus.stored import StoredMetrics
from pilothouse.signals.metrics.promql import windowing
from pilothouse.signals.metrics.promql.engine import evaluate
from pilothouse.signals.metrics.promql.labels import labels_of
from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.memory import MemoryStorage
from pilothouse.signals.metrics.promql.planning import Grid
from pilothouse.signals.receive.remote_write import RemoteWriteReceiver
from pilothouse.signals.storing import storings
from tests.signals.metrics.stored import settled, store_series

pytestmark = pytest.mark.skipif(
    not (windowing.is_there() and segment_rows.is_there()), reason="native/*.c was not compiled (no compiler)"
)
_MINUTE = 60_000


class _Kept:
    """The same samples in the engine and in a store of Python's."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self.engine, self.stored, self.theirs = engine, StoredMetrics(engine), MemoryStorage()
        self.end = (int(time.time()) // 60 - 2) * _MINUTE
        self.intake = Intake(engine, directory, storings())
        self.intake.start()
        self._receiver = RemoteWriteReceiver(self.intake)

    def store(self, name: str, kind: str, samples: list[tuple[int, float]]) -> None:
        """Samples by minutes before the end."""
        labels = {NAME: name, "kind": kind}
        moments = [(self.end - round(minutes * _MINUTE), value) for minutes, value in samples]
        store_series(self._receiver, [(labels, moments)])
        settled(self.intake)
        for moment, value in moments:
            self.theirs.add(labels_of(labels), moment, value)

    def assert_same(self, query: str, first: float, last: float) -> None:
        """The answer of both from so many minutes before the end to so many."""
        grid = Grid(self.end - round(first * _MINUTE), self.end - round(last * _MINUTE), _MINUTE)
        mine, theirs = (evaluate(store, query, grid).matrix for store in (self.stored, self.theirs))
        assert mine is not None
        assert theirs is not None
        assert mine.labels == theirs.labels
        np.testing.assert_array_equal(mine.present, theirs.present)
        np.testing.assert_allclose(mine.values[mine.present], theirs.values[mine.present], rtol=1e-12)


@pytest.fixture
def kept(files_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Kept]:
    monkeypatch.setattr(catalogue, "_FRESH", 0.0)
    found = _Kept(files_engine, tmp_path / "journal")
    yield found
    found.intake.close()


@pytest.fixture
def asked(files_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Statements that read samples."""
    statements: list[str] = []
    query: Callable[..., Any] = files_engine.query

    def noted(sql: str, *rest: Any) -> Any:
        if "FROM samples" in sql:
            statements.append(sql)
        return query(sql, *rest)

    monkeypatch.setattr(files_engine, "query", noted)
    return statements


@pytest.fixture
def in_memory(files_engine: Engine) -> None:
    if files_engine.writes("samples") is None:
        pytest.skip("others may write to a server, so that nothing of it is kept in memory")


@pytest.mark.usefixtures("in_memory")
def test_what_is_stored_between_two_questions_is_in_the_second_answer(kept: _Kept, asked: list[str]) -> None:
    chance = random.Random(3)
    for kind in "abc":
        kept.store("draft", kind, [(place / 4, chance.random()) for place in range(240, 80, -1)])
    queries = ("rate(draft[5m])", "draft", "avg_over_time(draft[3m])", "quantile_over_time(0.4, draft[4m])")
    for query in queries:
        kept.assert_same(query, 50, 20)
    before = len(asked)
    for query in queries:
        kept.assert_same(query, 50, 20)
        kept.assert_same(query, 40, 30)
    assert len(asked) == before, "all was in memory"
    # Newer, older than much that is there, of a new series, a second time, and of another metric.
    kept.store("draft", "a", [(place / 4, 5.0) for place in range(79, 60, -1)])
    kept.assert_same("rate(draft[5m])", 50, 10)
    kept.store("draft", "b", [(33.1, 7.0), (70.0, 9.0)])
    kept.assert_same("sum_over_time(draft[5m])", 50, 10)
    kept.store("draft", "new", [(45.0, 1.0), (12.0, 2.0)])
    kept.assert_same("draft", 50, 10)
    kept.store("draft", "c", [(40.1, 123.0)])
    kept.store("draft", "c", [(40.1, 123.0)])
    kept.assert_same("max_over_time(draft[5m])", 50, 10)
    kept.store("beam", "a", [(40.0, 123.0)])
    kept.assert_same("changes(draft[5m])", 50, 10)
    # From before what is held, and long after it.
    kept.assert_same("draft", 65, 30)
    kept.assert_same("draft", 10, -5)


def test_a_statement_that_may_change_anything_is_believed(kept: _Kept, files_engine: Engine) -> None:
    kept.store("keel", "a", [(30.0, 1.0), (29.0, 2.0)])
    kept.assert_same("keel", 30, 20)
    files_engine.command("ALTER TABLE samples DELETE WHERE number = 2 SETTINGS mutations_sync = 1")
    kept.theirs.clear()
    kept.theirs.add(labels_of({NAME: "keel", "kind": "a"}), kept.end - 30 * _MINUTE, 1.0)
    kept.assert_same("keel", 30, 20)


@pytest.mark.usefixtures("in_memory")
def test_much_is_kept_when_it_is_asked_for_again(
    kept: _Kept, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "_AT_ONCE", 10)
    kept.store("mast", "a", [(place / 4, float(place)) for place in range(200, 0, -1)])
    for _ in range(3):
        kept.assert_same("increase(mast[5m])", 40, 5)
    assert ["ToGrid" in sql for sql in asked] == [True, False]


@pytest.mark.usefixtures("in_memory")
def test_what_is_held_is_within_its_bound(kept: _Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept.stored._memory, "_limit", 6_000)
    monkeypatch.setattr(remembering, "_PART_AT_ONCE", 1)
    for name in ("bow", "stern", "port"):
        kept.store(name, "a", [(place / 4, float(place)) for place in range(200, 0, -1)])
    for _ in range(2):
        for name in ("bow", "stern", "port"):
            kept.assert_same(f"increase({name}[5m])", 40, 5)
    sizes = [one.size for one in kept.stored._memory._selectors.values()]
    assert 0 < sum(sizes) <= 6_000
    assert sizes.count(0) >= 1


@pytest.mark.parametrize("in_memory_at_once", [0, 1_000_000])
def test_what_is_too_much_for_one_statement_is_read_piece_by_piece(
    kept: _Kept, asked: list[str], monkeypatch: pytest.MonkeyPatch, in_memory_at_once: int
) -> None:
    monkeypatch.setattr(choosing, "_A_PIECE", 300)
    monkeypatch.setattr(remembering, "_AT_ONCE", in_memory_at_once)
    chance = random.Random(5)
    for kind in "abcdefg":
        kept.store("hatch", kind, [(place / 4, chance.random()) for place in range(240, 80, -1)])
    for query in ("rate(hatch[5m])", "sum_over_time(hatch{kind!='d'}[3m])", "quantile_over_time(0.4, hatch[4m])"):
        kept.assert_same(query, 50, 20)
    assert len(asked) >= 3


def test_blocks_of_an_answer_are_taken_apart_wherever_they_end() -> None:
    chance = np.random.default_rng(2)
    series = np.sort(chance.integers(1, 9, 300).astype(np.uint64))
    times = np.concatenate(
        [np.sort(chance.integers(0, 60, int(count))) for count in np.unique(series, return_counts=True)[1]]
    )
    columns = series, times + 1_000, np.arange(300), np.ones(300, np.float32)
    whole = Read([Rows(*columns)])
    for size in (1, 2, 7, 299):
        parts = [Rows(*(column[place : place + size] for column in columns)) for place in range(0, 300, size)]
        mine, theirs = Read(parts).gathered(1_000), whole.gathered(1_000)
        for name in ("series", "begins", "times", "values"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
        for column, other in zip(Read(parts).plain(), whole.plain(), strict=True):
            np.testing.assert_array_equal(column, other)
    plain = whole.plain()
    np.testing.assert_array_equal(whole.gathered(1_000).values, plain[2])
    assert not len(Read([]).plain()[0])


def test_writes_tell_from_when_on_rows_are_new() -> None:
    writes = Writes()
    begun = writes.number("samples")
    assert writes.oldest_since("samples", begun) == NEVER
    writes.stored("samples", 700)
    writes.stored("series", None)
    writes.stored("samples", 500)
    assert writes.oldest_since("samples", begun) == 500
    assert writes.oldest_since("samples", begun + 1) == 500
    seen = writes.number("samples")
    writes.stored("samples", 900)
    assert writes.oldest_since("samples", seen) == 900
    assert writes.oldest_since("series", writes.number("series") - 1) is None
    writes.commanded()
    assert writes.oldest_since("samples", seen) is None
    seen = writes.number("samples")
    writes.stored("samples", 300)
    assert writes.oldest_since("samples", seen) == 300
    for _ in range(5000):
        writes.stored("samples", 1000)
    assert writes.oldest_since("samples", seen) is None, "too many to remember"
