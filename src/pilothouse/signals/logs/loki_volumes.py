"""How much there is: statistics, volumes, patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.engine import Budget
from pilothouse.signals.logs.logql import parse_log_query, tree
from pilothouse.signals.logs.loki_answers import seconds
from pilothouse.signals.logs.patterns import shapes
from pilothouse.signals.logs.reading import within_sql
from pilothouse.signals.logs.streams import Streams, streams
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.engine import Engine
    from pilothouse.signals.logs.loki_asking import Parameters


def index_stats(engine: Engine, given: Parameters, request: Request) -> Any:
    """Streams, parts, lines and bytes of what a selector means."""
    found = streams(engine, parse_log_query(given.needed("query")).matchers, given.within())
    if not found:
        return {"streams": 0, "chunks": 0, "entries": 0, "bytes": 0}
    parameters: dict[str, Any] = {}
    where = " AND ".join(within_sql(parameters, found, given.within()))
    row = engine.query(
        "SELECT uniqExact(identity) AS streams, uniqExact(_part) AS chunks, count() AS entries, "
        f"sum(length(body)) AS bytes FROM logs WHERE {where}", parameters,
    ).to_pylist()[0]  # fmt: skip
    return {name: int(row[name] or 0) for name in ("streams", "chunks", "entries", "bytes")}


def volume(engine: Engine, given: Parameters, request: Request) -> Any:
    """Bytes of lines by label, the most first."""
    within = given.within()
    at = seconds(within.end)
    totals = _volumes(engine, given, within, within.end - within.start or 1)
    ranked = sorted(
        ((sum(points.values()), labels) for labels, points in totals.items()), key=lambda one: (-one[0], one[1])
    )
    result = [{"metric": dict(labels), "value": [at, str(size)]} for size, labels in ranked[: given.limit(100)]]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def volume_range(engine: Engine, given: Parameters, request: Request) -> Any:
    """The same, step by step."""
    within = given.within()
    step = given.step(within)
    totals = _volumes(engine, given, within, step)
    ranked = sorted(totals.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    result = [
        {
            "metric": dict(labels),
            "values": [[seconds(within.start + place * step), str(size)] for place, size in sorted(points.items())],
        }
        for labels, points in ranked[: given.limit(100)]
    ]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def patterns(engine: Engine, given: Parameters, request: Request) -> Any:
    """Shapes of lines with their counts over time."""
    within = given.within()
    found = shapes(engine, parse_log_query(given.needed("query")), within, given.step(within))
    data = [{"pattern": shape.pattern, "samples": [list(point) for point in shape.samples]} for shape in found]
    return {"status": "success", "data": data}


def _volumes(
    engine: Engine, given: Parameters, within: TimeRange, step: int
) -> dict[tuple[tuple[str, str], ...], dict[int, int]]:
    """Bytes by labels and step: the selector's labels, those asked for, or with `aggregateBy=labels` each label."""
    query = parse_log_query(given.needed("query"))
    found = streams(engine, query.matchers, within)
    if not found:
        return {}
    parameters: dict[str, Any] = {"step": step}
    where = " AND ".join(within_sql(parameters, found, within))
    rows = engine.query(
        "SELECT identity, intDiv(toUnixTimestamp64Nano(time) - {from:Int64}, {step:Int64}) AS place, "
        f"sum(length(body)) AS size FROM logs WHERE {where} GROUP BY identity, place",
        parameters, Budget(seconds=120),
    ).to_pylist()  # fmt: skip
    totals: dict[tuple[tuple[str, str], ...], dict[int, int]] = {}
    for row in rows:
        for labels in _keys(given, query, found, row["identity"]):
            points = totals.setdefault(labels, {})
            points[row["place"]] = points.get(row["place"], 0) + row["size"]
    return totals


def _keys(given: Parameters, query: tree.LogQuery, found: Streams, identity: int) -> list[tuple[tuple[str, str], ...]]:
    targets = [name for name in given.get("targetLabels").split(",") if name]
    labels = found[identity]
    if given.get("aggregateBy") == "labels":
        return [((name, ""),) for name in labels if not targets or name in targets]
    names = targets or [matcher.label for matcher in query.matchers]
    return [tuple(sorted((name, labels[name]) for name in set(names) if name in labels))]
