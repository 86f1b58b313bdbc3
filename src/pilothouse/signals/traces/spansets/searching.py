"""Search: the newest traces in which a pipeline leaves spans, each with these spans."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.signals.anyvalue import from_text
from pilothouse.signals.traces.compiling.scope import Scope
from pilothouse.signals.traces.spansets.evaluating import Columns, State
from pilothouse.signals.traces.spansets.reading import MOST_TRACES, Reading
from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.writing import written

if TYPE_CHECKING:
    import pyarrow as pa

    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.timerange import TimeRange


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """A span that fits: its id in hexadecimal, times in nanoseconds, and what was selected, by its text."""

    span_id: str
    name: str
    start: int
    duration: int
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spanset:
    """Spans of one trace that belong together, how many there are, and what was computed for them."""

    spans: list[FoundSpan]
    matched: int
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FoundTrace:
    """A trace with its spansets."""

    trace_id: str
    spansets: list[Spanset]


def find(
    engine: Engine,
    query: tree.Pipeline,
    within: TimeRange,
    limit: int = 20,
    spans: int = 3,
    budget: Budget | None = None,
) -> list[FoundTrace]:
    """The newest traces (at most `limit`) that fit, each spanset with at most so many spans (0: all)."""
    reading = Reading(Scope(engine, within, budget), query)
    if _is_one_filter(query) and not reading.joins:
        candidates = reading.newest(limit)
    else:
        candidates = reading.candidates(limit if reading.plan.exact and _is_simple(query) else MOST_TRACES)
    found: list[FoundTrace] = []
    for table, columns, state in reading.batches(candidates):
        batch = _traces(reading, table, columns, state, spans)
        order = {trace: place for place, trace in enumerate(candidates)}
        found += sorted(batch, key=lambda trace: order[trace.trace_id])
        if len(found) >= limit:
            break
    return found[:limit]


def _is_simple(query: tree.Pipeline) -> bool:
    """Whether each candidate is sure to fit: one filter, or filters joined by && and ||."""
    stages = [stage for stage in query.stages if not isinstance(stage, tree.Select)]
    return len(stages) == 1 and isinstance(stages[0], tree.Filter | tree.SpansetOperation)


def _is_one_filter(query: tree.Pipeline) -> bool:
    stages = [stage for stage in query.stages if not isinstance(stage, tree.Select)]
    return len(stages) == 1 and isinstance(stages[0], tree.Filter)


def _traces(reading: Reading, table: pa.Table, columns: Columns, state: State, most: int) -> list[FoundTrace]:
    places = np.flatnonzero(state.mask)
    if not len(places):
        return []
    order = places[np.lexsort((places, state.groups[places], columns.traces[places]))]
    cuts = np.flatnonzero(np.diff(state.groups[order])) + 1
    selected = {written(node): columns.labels[node] for node in reading.plan.selected}
    rows = {name: table[name] for name in ("trace", "id", "name", "start", "duration")}
    found: dict[str, list[Spanset]] = {}
    for members in np.split(order, cuts):
        chosen = members[:most] if most else members
        spans = [_span(rows, int(place), selected) for place in chosen]
        made = Spanset(spans, len(members), _notes(state, int(members[0])))
        found.setdefault(rows["trace"][int(members[0])].as_py(), []).append(made)
    return [FoundTrace(trace, spansets) for trace, spansets in found.items()]


def _span(rows: dict[str, Any], place: int, selected: dict[str, Any]) -> FoundSpan:
    values = {name: _value(texts, letters, place) for name, (texts, letters) in selected.items()}
    return FoundSpan(
        rows["id"][place].as_py(),
        rows["name"][place].as_py(),
        rows["start"][place].as_py(),
        rows["duration"][place].as_py(),
        {name: value for name, value in values.items() if value is not None},
    )


def _notes(state: State, place: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, note in state.notes.items():
        value = _value(*note, place) if isinstance(note, tuple) else float(note[place])
        found[name] = int(value) if name.startswith("count(") else value
    return found


def _value(texts: Any, letters: Any, place: int) -> Any:
    letter = str(letters[place])
    text = str(texts[place])
    if letter in ("t", "k"):
        return int(float(text)) if letter == "t" and text else text
    return from_text(text, letter) if letter not in ("", "n", "x") and (text or letter == "s") else None
