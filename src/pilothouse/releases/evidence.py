"""The numbers behind a finding: one operation's durations, one metric over time, for several versions."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.releases.discovering import releases
from pilothouse.releases.identifying import version_of
from pilothouse.releases.reading import BUDGET, column, window_sql, within_sql
from pilothouse.releases.speaking import known_service
from pilothouse.releases.window import cut
from pilothouse.signals.errors import NotFoundError
from pilothouse.signals.selecting import resources
from pilothouse.signals.selector import Matcher, Selector

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.timerange import TimeRange

BUCKETS = 60
_MOST_POINTS = 300
MOST_SERIES = 50

_MINE = f"identity IN {{identities:Array(UInt64)}} AND {within_sql(9)} AND name = {{name:String}}"
_KIND = "({kind:Int32} < 0 OR kind = {kind:Int32})"
_EXTREMES = f"""SELECT quantile(0.001)(duration) AS low, quantile(0.999)(duration) AS high, count() AS n
FROM spans WHERE {_MINE} AND {_KIND}"""
_DURATIONS = f"""SELECT toInt32(floor((log(toFloat64(duration) + 1) - {{low:Float64}}) / {{step:Float64}})) AS bucket,
    count() AS n FROM spans WHERE {_MINE} AND {_KIND} GROUP BY bucket"""


def durations(
    engine: Engine, service: str, operation: str, versions: list[str], within: TimeRange, kind: int = -1
) -> dict[str, Any]:
    """A histogram of durations (ms) with logarithmic buckets, one count list a version.

    `kind` is the span kind, or -1 for all. Raises `NotFoundError` for unknown versions or an operation never seen.
    """
    identities = _identities(engine, service, versions)
    parameters: dict[str, Any] = {"name": operation, "start": within.start, "end": within.end, "kind": kind}
    everyone = [one for found in identities.values() for one in found]
    ends = engine.query(_EXTREMES, parameters | {"identities": everyone}, BUDGET).to_pylist()[0]
    if not ends["n"]:
        raise NotFoundError(f"{service} has no span called {operation!r} in this range")
    low, high = np.log(ends["low"] + 1), max(np.log(ends["high"] + 1), np.log(ends["low"] + 1) + 0.05)
    step = float(high - low) / BUCKETS
    counts = {}
    for version, found in identities.items():
        bounds = {"identities": found, "low": float(low), "step": step}
        table = engine.query(_DURATIONS, parameters | bounds, BUDGET)
        places = np.clip(column(table, "bucket"), 0, BUCKETS - 1)
        counts[version] = np.bincount(places, column(table, "n"), BUCKETS).astype(int).tolist()
    edges = np.exp(low + step * np.arange(BUCKETS + 1)) / 1e6
    return {"unit": "ms", "edges": edges.tolist(), "versions": counts}


_SERIES = f"""SELECT series, identity, any(attributes) AS labels, type, any(unit) AS unit,
    max(is_monotonic) AS counter, max(temporality) AS temporality
FROM series WHERE name = {{name:String}} AND identity IN {{identities:Array(UInt64)}}
GROUP BY series, identity, type HAVING {{condition}} ORDER BY series LIMIT {MOST_SERIES + 1}"""

_W = window_sql("toUnixTimestamp64Milli(time) * 1000000")
_GAUGE = f"""SELECT series, {_W} AS w, avg(value) AS amount FROM samples
WHERE series IN {{series:Array(UInt64)}} AND {within_sql(3)} AND isFinite(value)
GROUP BY series, w ORDER BY series, w"""
# Per second, between the points of a series; a fall is a reset.
_RATE = """SELECT series, toInt32(intDiv(t * 1000000 - {start:Int64}, {width:Int64})) AS w,
    sum(grown) / (sum(passed) / 1000) AS amount
FROM (
    SELECT series, t, if(delta OR reached < previous, reached, reached - previous) AS grown, t - before AS passed
    FROM (
        SELECT series, toUnixTimestamp64Milli(time) AS t, toFloat64(value) AS reached, {temporality:UInt8} = 1 AS delta,
               lagInFrame(toFloat64(value)) OVER w AS previous,
               lagInFrame(toUnixTimestamp64Milli(time)) OVER w AS before
        FROM samples WHERE series IN {series:Array(UInt64)} AND WITHIN
        WINDOW w AS (PARTITION BY series ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    ) WHERE before > 0
) GROUP BY series, w HAVING sum(passed) > 0 ORDER BY series, w"""
_MEAN = """SELECT series, toInt32(intDiv(t * 1000000 - {start:Int64}, {width:Int64})) AS w,
    sum(added) / sum(n) AS amount
FROM (
    SELECT series, t, if(delta OR seen < previous, seen, seen - previous) AS n,
           if(delta OR seen < previous, total, total - before) AS added
    FROM (
        SELECT series, toUnixTimestamp64Milli(time) AS t, toFloat64(count) AS seen, assumeNotNull(sum) AS total,
               {temporality:UInt8} = 1 AS delta, lagInFrame(toNullable(toFloat64(count))) OVER w AS previous,
               lagInFrame(assumeNotNull(sum)) OVER w AS before
        FROM distributions WHERE series IN {series:Array(UInt64)} AND WITHIN
        WINDOW w AS (PARTITION BY series ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    ) WHERE delta OR isNotNull(previous)
) GROUP BY series, w HAVING sum(n) > 0 ORDER BY series, w"""


def metric_range(
    engine: Engine, service: str, name: str, versions: list[str], within: TimeRange, labels: Selector | None = None
) -> dict[str, Any]:
    """A metric's series over time, with the version each belongs to.

    Gauges as they are, counters per second, histograms by their mean. Raises `NotFoundError` for unknown versions.
    """
    identities = _identities(engine, service, versions)
    owner = {one: version for version, found in identities.items() for one in found}
    condition, parameters = (labels or Selector()).condition("labels")
    bounds: dict[str, Any] = {"name": name, "identities": list(owner), **parameters}
    rows = engine.query(_SERIES.replace("{condition}", condition), bounds, BUDGET).to_pylist()
    if not rows:
        raise NotFoundError(f"{service} has no metric called {name!r} with these labels")
    points = _points(engine, rows[:MOST_SERIES], within)
    series = [
        {
            "name": name,
            "labels": dict(row["labels"]),
            "version": owner[row["identity"]],
            "points": points.get(row["series"], []),
        }
        for row in rows[:MOST_SERIES]
    ]
    kinds = {_kind(row) for row in rows}
    unit = rows[0]["unit"]
    return {
        "unit": f"{unit}/s" if kinds == {"rate"} else unit,
        "kind": "mixed" if len(kinds) > 1 else kinds.pop(),
        "series": [one for one in series if one["points"]],
        "more": len(rows) > MOST_SERIES,
    }


def _points(engine: Engine, rows: list[dict[str, Any]], within: TimeRange) -> dict[int, list[list[float]]]:
    grouped: dict[tuple[str, int], list[int]] = defaultdict(list)
    for row in rows:
        grouped[_kind(row), int(row["temporality"])].append(row["series"])
    windows = cut(within, max(min(_MOST_POINTS, int(within.seconds)), 1))
    found: dict[int, list[list[float]]] = defaultdict(list)
    for (kind, temporality), series in grouped.items():
        parameters: dict[str, Any] = {
            "series": series, "start": windows.start, "end": windows.end, "width": windows.width,
            "temporality": temporality,
        }  # fmt: skip
        table = engine.query(_question(kind), parameters, BUDGET)
        for one, w, value in zip(*(table.column(name).to_pylist() for name in ("series", "w", "amount")), strict=True):
            found[one].append([(windows.start + (w + 0.5) * windows.width) / 1e9, value])
    return found


def _question(kind: str) -> str:
    match kind:
        case "value":
            return _GAUGE
        case "mean":
            return _MEAN.replace("WITHIN", within_sql(3))
        case _:
            return _RATE.replace("WITHIN", within_sql(3))


def _kind(row: dict[str, Any]) -> str:
    if row["type"] not in ("gauge", "sum"):
        return "mean"
    return "rate" if row["counter"] else "value"


def _identities(engine: Engine, service: str, versions: list[str]) -> dict[str, list[int]]:
    """The identities of each version; raises `NotFoundError` that names the known ones."""
    found: dict[str, list[int]] = {version: [] for version in versions}
    for one in resources(engine, Selector((Matcher("service.name", "=", service),))):
        if (version := version_of(one.attributes)) in found:
            found[version].append(one.identity)
    for version, identities in found.items():
        if not identities:
            known_service(engine, service)
            names = ", ".join(one.version for one in releases(engine, service)[:20]) or "none"
            raise NotFoundError(f"{service} has no version {version!r}; known are {names}")
    return found
