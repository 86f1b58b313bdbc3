"""Metrics around a point: the series of the same resources that are furthest from what they were before.

How far is measured as BARO does it (Pham, Ha, Zhang 2024): the largest distance from the median of the time before,
in interquartile ranges of that time. Counters count by what they grow. What has hardly a time before, as where the
range is longer than the service's life, comes last and without a distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.signals.correlate.joining import NOBODY, path, service_names

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.correlate.anchor import Anchor

_MOST_SERIES = 5000
# How much of the past is the measure: ten times the range, between ten minutes and two hours.
_PAST, _LEAST, _MOST = 10, 600, 7200

_SERIES = f"""SELECT series, any(name) AS named, any(identity) AS speaker, any(attributes) AS labels, any(unit) AS unit,
    max(is_monotonic) AS counter FROM series
WHERE identity IN {{identities:Array(UInt64)}} AND type IN ('gauge', 'sum')
GROUP BY series ORDER BY named, series LIMIT {_MOST_SERIES}"""

_FEW = 3

_DEVIATIONS = """SELECT series, quantileExactIf(0.5)(amount, NOT during) AS middle,
    quantileExactIf(0.75)(amount, NOT during) - quantileExactIf(0.25)(amount, NOT during) AS spread,
    argMaxIf(amount, abs(amount - middle_of), during) AS furthest, countIf(during) AS points,
    countIf(NOT during) AS earlier, argMaxIf(amount, abs(amount), during) AS largest
FROM (
    SELECT series, amount, during, quantileExactIf(0.5)(amount, NOT during) OVER (PARTITION BY series) AS middle_of
    FROM (
        SELECT series, time >= fromUnixTimestamp64Nano({start:Int64}, 'UTC') AS during,
               if(has({counters:Array(UInt64)}, series),
                  if(value < previous OR isNull(previous), NULL, value - previous), toNullable(value)) AS amount
        FROM (
            SELECT series, time, value, lagInFrame(toNullable(value)) OVER (PARTITION BY series ORDER BY time
                ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS previous
            FROM samples WHERE series IN {series:Array(UInt64)} AND isFinite(value)
              AND time >= fromUnixTimestamp64Nano({before:Int64}, 'UTC')
              AND time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')
        )
    ) WHERE isNotNull(amount)
) GROUP BY series HAVING points > 0"""


def series(engine: Engine, anchor: Anchor, limit: int, budget: Budget | None) -> dict[str, Any]:
    """How many series speak then, and those that deviate most, with their usual and their furthest value."""
    known = {row["series"]: row for row in engine.query(_SERIES, anchor.parameters, budget).to_pylist()}
    api = path("/api/metrics", anchor, **({"name": anchor.metric} if anchor.metric else {}))
    if not known:
        return {"by": NOBODY, "count": 0, "examples": [], "api": api}
    past = min(max(_PAST * int(anchor.within.seconds), _LEAST), _MOST) * 1_000_000_000
    parameters = anchor.parameters | {
        "series": list(known),
        "counters": [number for number, row in known.items() if row["counter"]],
        "before": max(anchor.within.start - past, 0),
    }
    rows = engine.query(_DEVIATIONS, parameters, budget).to_pylist()
    names = service_names(anchor)
    examples = [_example(row, known[row["series"]], names) for row in rows]
    examples.sort(key=lambda one: (one["before"] is None, -one["score"], one["name"]))
    return {"by": NOBODY, "count": len(rows), "examples": examples[:limit], "api": api}


def _example(row: dict[str, Any], known: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    said = {
        "name": known["named"], "labels": dict(known["labels"]), "unit": known["unit"],
        "service": names.get(known["speaker"], ""), "kind": "increase" if known["counter"] else "value",
    }  # fmt: skip
    if row["earlier"] < _FEW:
        return said | {"before": None, "during": float(row["largest"]), "score": 0.0}
    middle, furthest = float(row["middle"]), float(row["furthest"])
    # What never moved before has no spread: a thousandth of its size stands for it.
    spread = max(float(row["spread"]), abs(middle) * 1e-3, 1e-12)
    score = round(min(abs(furthest - middle) / spread, 1e6), 3)
    return said | {"before": middle, "during": furthest, "score": score}
