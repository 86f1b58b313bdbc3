"""The questions: wall and CPU seconds of each, the first time and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pilothouse.engine import Budget, Engine
from pilothouse.signals.profiles.asking import costs, kept_of, select
from pilothouse.signals.profiles.top import top
from pilothouse.signals.profiles.tree import grow, pruned, to_json
from pilothouse.signals.selector import equals, parse_selector
from pilothouse.signals.timerange import TimeRange

_HOUR = 3600 * 1_000_000_000
_BUDGET = Budget(seconds=300, memory_bytes=4_000_000_000)
_ROUNDS = 5


def ask(engine: Engine, end: int) -> dict[str, dict[str, float]]:
    """All questions, up to `end`."""
    flames = {f"flame graph, 50 processes, {hours} h": _flame(engine, end, hours) for hours in (1, 24, 24 * 7)}
    some = {
        "flame graph, 50 processes, 1 h, of the samples": _flame(engine, end, 1, raw=True),
        "top, 50 processes, 1 h": lambda: top(_costs(engine, end, 1), 50),
        "diff of two times of 12 h, 50 processes": lambda: _costs(engine, end, 12, end - 12 * _HOUR),
    }
    return {name: _timed(question) for name, question in (flames | some).items()}


def _flame(engine: Engine, end: int, hours: int, raw: bool = False) -> Callable[[], int]:
    def question() -> int:
        return len(to_json(pruned(grow(_costs(engine, end, hours, raw=raw)), 8192), ("value",)))

    return question


def _costs(engine: Engine, end: int, hours: int, other: int = 0, raw: bool = False) -> Any:
    # A condition on a label of samples, which all of them meet, keeps the sums by minute from being used.
    labels = parse_selector('nothing=""') if raw else None
    ranges = [TimeRange(at - hours * _HOUR, at) for at in (end, other) if at]
    selections = [select(engine, equals(service_name="shop"), within, labels) for within in ranges]
    there = kept_of(engine, selections[0], "cpu")
    found = costs(engine, "cpu", selections, _BUDGET)
    assert len(selections[0].identities) == 50, len(selections[0].identities)
    assert hours > 24 or there.total == int(found.values[:, 0].sum()), "the flame graph is not the sum of the profiles"
    return found


def _timed(question: Callable[[], object]) -> dict[str, float]:
    walls, cpus = [], []
    for _ in range(_ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        question()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "first wall s": round(walls[0], 3),
        "least wall s": round(min(walls), 3),
        "least CPU s": round(min(cpus), 3),
    }
