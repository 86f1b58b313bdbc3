"""Series of a metrics query: buckets and groups are the engine's work, one row a group and step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.signals.anyvalue import from_text
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import TimeRange
from pilothouse.signals.traces.compiling.fields import Fields
from pilothouse.signals.traces.compiling.scope import Scope
from pilothouse.signals.traces.compiling.sources import source
from pilothouse.signals.traces.compiling.value import Value
from pilothouse.signals.traces.series.comparing import comparison
from pilothouse.signals.traces.series.series import Exemplar, Labels, Series, Steps, combined, processed
from pilothouse.signals.traces.spansets.nesting import nested
from pilothouse.signals.traces.spansets.reading import MOST_TRACES, Reading
from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.tree import Type
from pilothouse.signals.traces.traceql.writing import written

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

MOST_SERIES = 1000
_MOST_MATCHED = 200_000
_SECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Question:
    """A metrics query over steps; `exemplars` is how many spans to show for the points of all series together."""

    steps: Steps
    exemplars: int = 100
    budget: Budget | None = None


def series_of(engine: Engine, node: Any, question: Question) -> list[Series]:
    """The series of a metrics query, each with a value for each step."""
    if isinstance(node, tree.SeriesOperation):
        sides = [
            side if isinstance(side, float) else series_of(engine, side, question) for side in (node.left, node.right)
        ]
        found = combined(node.operator, *sides)
    elif isinstance(node, tree.Compare):
        found = _compared(engine, node, question)
    else:
        found = _Measuring(engine, node, question).series()
    return processed(found, node.after)


def condition_of(scope: Scope, pipeline: tree.Pipeline) -> str:
    """SQL for the spans that a pipeline leaves: its filters, or the spans themselves when more than a row decides."""
    stages = [stage for stage in pipeline.stages if not isinstance(stage, tree.Select)]
    if all(isinstance(stage, tree.Filter) and not nested(stage.condition) for stage in stages):
        fields = Fields(scope)
        return " AND ".join(f"({fields.condition(stage.condition)})" for stage in stages) or "1"  # type: ignore[union-attr]
    reading = Reading(Scope(scope.engine, scope.within, scope.budget), pipeline)
    traces: list[str] = []
    spans: list[str] = []
    for table, _, state in reading.batches(reading.candidates(MOST_TRACES), (5000,)):
        left = table.filter(state.mask)
        traces += left["trace"].to_pylist()
        spans += left["id"].to_pylist()
        if len(spans) > _MOST_MATCHED:
            raise BadRequestError(f"more than {_MOST_MATCHED} spans fit; ask for a shorter range", "q")
    names = scope.bound(traces, "Array(String)"), scope.bound(spans, "Array(String)")
    return (
        "(trace_id, span_id) IN (SELECT unhex(pair.1), unhex(pair.2) FROM "
        f"(SELECT arrayJoin(arrayZip({names[0]}, {names[1]})) AS pair))"
    )


class _Measuring:
    def __init__(self, engine: Engine, node: tree.Measure, question: Question) -> None:
        self._node, self._question, self._steps = node, question, question.steps
        self._scope = Scope(engine, TimeRange(self._steps.start, self._steps.end), question.budget)
        self._fields = Fields(self._scope)

    def series(self) -> list[Series]:
        node = self._node
        labels = [self._fields.single(field) for field in node.by]
        value = self._number()
        where = condition_of(self._scope, node.source)
        if node.field is not None:
            where = f"({where}) AND isNotNull({value})"
        columns = "".join(
            f", toString({label.text()}) AS t{place}, toString({label.letter()}) AS k{place}"
            for place, label in enumerate(labels)
        )
        keys = "".join(f", t{place}, k{place}" for place in range(len(labels)))
        if node.function == "histogram_over_time":
            columns += ", if(value <= 0, 0, pow(2, ceil(log2(value)))) AS bucket"
            keys += ", bucket"
        scope = self._scope
        place = f"intDiv(toUnixTimestamp64Nano(time) - {self._steps.start}, {self._steps.step})"
        table = scope.engine.query(
            f"SELECT step{keys}, {self._aggregate()} AS result, any((lower(hex(trace_id)), value, at)) AS example "
            f"FROM (SELECT trace_id, {place} AS step, toUnixTimestamp64Nano(time) AS at, "
            f"toFloat64({value}) AS value{columns} FROM {source(scope)} WHERE {where}) "
            f"GROUP BY step{keys} ORDER BY step LIMIT {MOST_SERIES * 1000}",
            scope.parameters,
            scope.budget,
        )
        return self._made(table.to_pylist(), labels)

    def _number(self) -> str:
        if self._node.field is None:
            return "duration / 1e9"
        value = self._fields.single(self._node.field)
        # Durations are answered in seconds.
        return f"{value.number()} / {_SECONDS}" if value.type is Type.DURATION else value.number()

    def _aggregate(self) -> str:
        function = self._node.function
        if function == "quantile_over_time":
            bound = ", ".join(f"{quantile!r}" for quantile in self._node.quantiles)
            return f"quantilesExactInclusive({bound})(value)"
        simple = {"min_over_time": "min", "max_over_time": "max", "avg_over_time": "avg", "sum_over_time": "sum"}
        if function == "rate":
            return f"count() / {self._steps.step / _SECONDS!r}"
        return f"{simple[function]}(value)" if function in simple else "toFloat64(count())"

    def _made(self, rows: list[dict[str, Any]], labels: list[Value]) -> list[Series]:
        node, counts = self._node, self._node.function in ("rate", "count_over_time", "histogram_over_time")
        empty = 0.0 if counts else np.nan
        found: dict[Labels, Any] = {}
        examples: dict[Labels, list[Exemplar]] = {}
        for row in rows:
            results = row["result"] if node.quantiles else [row["result"]]
            for number, result in enumerate(results):
                key = self._labels(row, labels, number)
                if key not in found and len(found) >= MOST_SERIES:
                    raise BadRequestError(f"more than {MOST_SERIES} series; group by less", "q")
                found.setdefault(key, np.full(self._steps.count, empty))[row["step"]] = result
                trace, value, at = row["example"].values() if isinstance(row["example"], dict) else row["example"]
                shown = result if counts else value
                examples.setdefault(key, []).append(Exemplar(str(trace), float(shown), int(at)))
        each = max(1, self._question.exemplars // max(1, len(found))) if self._question.exemplars else 0
        return [Series(key, values, _thinned(examples[key], each)) for key, values in found.items()]

    def _labels(self, row: dict[str, Any], labels: list[Value], number: int) -> Labels:
        node = self._node
        made: list[tuple[str, Any]] = []
        for place, field in enumerate(node.by):
            made.append((written(field), _typed(row[f"t{place}"], row[f"k{place}"])))
        if node.quantiles:
            made.append(("p", node.quantiles[number]))
        if node.function == "histogram_over_time":
            made.append(("__bucket", row["bucket"]))
        return tuple(made) or (("__name__", node.function),)


def _typed(text: str, letter: str) -> Any:
    return from_text(text, letter) if letter in ("i", "d", "b", "s") else (text if letter not in ("", "n") else None)


def _thinned(found: list[Exemplar], most: int) -> tuple[Exemplar, ...]:
    if not most:
        return ()
    return tuple(found[:: max(1, len(found) // most)][:most])


def _compared(engine: Engine, node: tree.Compare, question: Question) -> list[Series]:
    steps = question.steps
    scope = Scope(engine, TimeRange(steps.start, steps.end), question.budget)
    selected = condition_of(scope, tree.Pipeline((node.selection,)))
    if node.start and node.end:
        selected = f"({selected}) AND toUnixTimestamp64Nano(time) BETWEEN {int(node.start)} AND {int(node.end)}"
    return comparison(scope, steps, condition_of(scope, node.source), selected, node.values)
