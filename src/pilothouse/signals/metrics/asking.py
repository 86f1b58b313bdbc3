"""Questions to the metric store: which series, and their values or rates over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilothouse.signals.timerange import NANOSECONDS, TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.selector import Selector

_TEMPORALITY = ("", "delta", "cumulative")
_MOST_STEPS = 11_000


@dataclass(frozen=True, slots=True)
class MetricQuestion:
    """Which series, and on which grid of `step` seconds their points are wanted (0: a hundred steps).

    Counters (cumulative monotonic sums, histograms' counts) are answered as rates a second, gauges as last values.
    """

    selector: Selector
    within: TimeRange
    name: str = ""
    step: float = 0.0
    limit: int = 100

    @property
    def grid_step(self) -> int:
        """The step in whole seconds, so that the grid has not too many."""
        least = max(1, round(self.within.seconds / _MOST_STEPS + 0.5))
        return max(least, round(self.step or self.within.seconds / 100))


def find_series(engine: Engine, question: MetricQuestion, budget: Budget | None = None) -> list[dict[str, Any]]:
    """The series that fit, by name. A label may be the resource's or the series' own."""
    condition, parameters = question.selector.condition("labels")
    parameters["name"] = question.name
    named = "AND name = {name:String}" if question.name else ""
    first, last = question.within.start // 1_000_000, question.within.end // 1_000_000
    table = engine.query(
        f"""SELECT name, s.series AS series, type, unit, temporality, is_monotonic, description,
                   mapUpdate(r.attributes, s.attributes) AS labels, toUnixTimestamp64Milli(seen) AS last_seen
            FROM (
                SELECT name, series, identity, any(attributes) AS attributes, type, unit, temporality, is_monotonic,
                       anyLast(description) AS description, min(first_seen) AS began, max(last_seen) AS seen
                FROM series
                WHERE 1 {named}
                GROUP BY ALL
                HAVING toUnixTimestamp64Milli(began) <= {last} AND toUnixTimestamp64Milli(seen) >= {first - 600_000}
            ) AS s
            INNER JOIN (SELECT identity, any(attributes) AS attributes FROM resources GROUP BY identity) AS r
            USING identity
            WHERE {condition}
            ORDER BY name, series LIMIT {question.limit}""",
        parameters,
        budget,
    )
    return [_described(row) for row in table.to_pylist()]


def points(engine: Engine, question: MetricQuestion, budget: Budget | None = None) -> list[dict[str, Any]]:
    """The series that fit, each with `points`: `[unix seconds, value]`, and what the value is (`value`)."""
    found = find_series(engine, question, budget)
    numbers = [row for row in found if row["type"] in ("gauge", "sum")]
    rates = [row for row in numbers if row["is_monotonic"] and row["temporality"] == "cumulative"]
    levels = [row for row in numbers if row not in rates]
    counted = [row for row in found if row not in numbers]
    grids = _grids(engine, question, rates, "timeSeriesRateToGrid", "samples", "value", budget)
    grids |= _grids(engine, question, levels, "timeSeriesLastToGrid", "samples", "value", budget)
    grids |= _grids(engine, question, counted, "timeSeriesRateToGrid", "distributions", "toFloat64(count)", budget)
    start, step = _start(question), question.grid_step
    for row in found:
        row["value"] = "last" if row in levels else "rate" if row in rates else "count rate"
        row["points"] = [
            [start + place * step, value]
            for place, value in enumerate(grids.get(row["series"], []))
            if value is not None
        ]
        row["series"] = f"{row['series']:016x}"
    return found


def _grids(
    engine: Engine, question: MetricQuestion, rows: list[dict[str, Any]], function: str, table: str, value: str,
    budget: Budget | None,
) -> dict[int, list[float | None]]:  # fmt: skip
    """Each series' values on the grid, by the engine's own grid functions."""
    if not rows:
        return {}
    start, end, step = _start(question), question.within.end // NANOSECONDS, question.grid_step
    window = max(2 * step, 300 if function.startswith("timeSeriesLast") else 60)
    answer = engine.query(
        f"""SELECT series, {function}({start}, {max(end, start)}, {step}, {window})(time, {value}) AS grid
            FROM {table}
            WHERE series IN {{series:Array(UInt64)}} AND time > fromUnixTimestamp64Milli({{first:Int64}}, 'UTC')
              AND time <= fromUnixTimestamp64Milli({{last:Int64}}, 'UTC')
            GROUP BY series""",
        {
            "series": [row["series"] for row in rows],
            "first": (start - window) * 1000,
            "last": question.within.end // 1_000_000,
        },
        budget,
    )
    return dict(zip(answer.column("series").to_pylist(), answer.column("grid").to_pylist(), strict=True))


def _start(question: MetricQuestion) -> int:
    step = question.grid_step
    return question.within.start // NANOSECONDS // step * step + step


def _described(row: dict[str, Any]) -> dict[str, Any]:
    return row | {
        "labels": dict(row["labels"]),
        "temporality": _TEMPORALITY[min(row["temporality"], 2)],
        "last_seen": row["last_seen"] / 1000,
    }
