"""Where the series come from: what `status/tsdb` tells, for people who look for labels with too many values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

_MOST = 10_000
# Each label of each series once; a metric's name is a label too.
_PAIRS = """(
    SELECT series, pair.1 AS label, pair.2 AS content FROM (
        SELECT series, any(name) AS name, any(attributes) AS attributes FROM series GROUP BY series
    ) ARRAY JOIN arrayConcat(
        [('__name__', toString(name))],
        arrayZip(mapKeys(attributes), mapValues(attributes))
    ) AS pair
)"""


def cardinality(engine: Engine, limit: int, budget: Budget | None = None) -> dict[str, Any]:
    """Counts of series, by metric, label and pair; `limit` of each, largest first. There are no chunks here."""
    most = max(1, min(limit, _MOST))

    def ranked(what: str, count: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = engine.query(
            f"""SELECT {what} AS name, {count} AS value FROM {_PAIRS} GROUP BY name
                ORDER BY value DESC, name LIMIT {most}""",
            None,
            budget,
        ).to_pylist()
        return found

    head = engine.query(
        f"""SELECT uniqExact(series) AS numSeries, uniqExact(label, content) AS numLabelPairs,
               toUInt64(0) AS chunkCount,
               (SELECT toUnixTimestamp64Milli(min(first_seen)) FROM series) AS minTime,
               (SELECT toUnixTimestamp64Milli(max(last_seen)) FROM series) AS maxTime
            FROM {_PAIRS}""",
        None,
        budget,
    ).to_pylist()[0]
    return {
        "headStats": head,
        "seriesCountByMetricName": _metrics(engine, most, budget),
        "labelValueCountByLabelName": ranked("label", "uniqExact(content)"),
        "memoryInBytesByLabelName": ranked("label", "arraySum(arrayMap(one -> length(one), groupUniqArray(content)))"),
        "seriesCountByLabelValuePair": ranked("concat(label, '=', content)", "uniqExact(series)"),
    }


def _metrics(engine: Engine, most: int, budget: Budget | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = engine.query(
        f"""SELECT name, uniqExact(series) AS value FROM series GROUP BY name
            ORDER BY value DESC, name LIMIT {most}""",
        None,
        budget,
    ).to_pylist()
    return found
