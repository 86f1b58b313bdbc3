"""Answers as Loki shapes them (Loki HTTP API, "Query Loki")."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pilothouse.signals.logs.templates.printing import plain
from pilothouse.signals.timerange import NANOSECONDS

if TYPE_CHECKING:
    from pilothouse.signals.logs.pipeline import Entry
    from pilothouse.signals.logs.pricing import Price
    from pilothouse.signals.logs.vectors import Series, Steps


def streams(entries: Iterable[Entry], categorized: bool = False) -> list[dict[str, Any]]:
    """Entries by their labels; `categorized` leaves only the stream's labels there and says the others per line."""
    found: dict[tuple[tuple[str, str], ...], list[list[Any]]] = {}
    for entry in entries:
        labels = entry.stream_labels() if categorized else entry.labels()
        value: list[Any] = [str(entry.time), entry.line]
        if categorized:
            value.append(_categories(entry))
        found.setdefault(tuple(sorted(labels.items())), []).append(value)
    return [{"stream": dict(labels), "values": values} for labels, values in found.items()]


def _categories(entry: Entry) -> dict[str, dict[str, str]]:
    found = {}
    if entry.metadata:
        found["structuredMetadata"] = dict(entry.metadata)
    if parsed := entry.parsed_labels():
        found["parsed"] = parsed
    return found


def spaced(entries: Iterable[Entry], interval: int) -> list[Entry]:
    """Of each stream only entries that are so far (nanoseconds) from the one before."""
    last: dict[int, int] = {}
    kept = []
    for entry in entries:
        before = last.get(id(entry.stream))
        if before is None or abs(entry.time - before) >= interval:
            last[id(entry.stream)] = entry.time
            kept.append(entry)
    return kept


def numbers(value: float | list[Series], steps: Steps) -> dict[str, Any]:
    """`scalar`, `vector` (of an instant) or `matrix`."""
    if isinstance(value, float):
        if steps.is_instant:
            return {"resultType": "scalar", "result": [seconds(steps.end), number(value)]}
        points = [[seconds(int(at)), number(value)] for at in steps.times()]
        return {"resultType": "matrix", "result": [{"metric": {}, "values": points}]}
    if steps.is_instant:
        at = seconds(steps.end)
        result = [{"metric": dict(one.labels), "value": [at, number(float(one.values[0]))]} for one in value]
        return {"resultType": "vector", "result": result}
    times = [seconds(int(at)) for at in steps.times()]
    return {"resultType": "matrix", "result": [_course(one, times) for one in value]}


def _course(one: Series, times: list[float]) -> dict[str, Any]:
    points = zip(times, one.values.tolist(), one.present.tolist(), strict=True)
    return {"metric": dict(one.labels), "values": [[at, number(value)] for at, value, there in points if there]}


def seconds(nanoseconds: int) -> float | int:
    """Unix seconds, to the millisecond."""
    whole, rest = divmod(nanoseconds, NANOSECONDS)
    return whole + round(rest / NANOSECONDS, 3) if rest else whole


def number(value: float) -> str:
    """A value as text, without an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return plain(value)


def stats(price: Price, took: float, returned: int) -> dict[str, Any]:
    """What was read, in the words that logcli and Grafana show."""
    took = max(took, 1e-6)
    return {
        "summary": {
            "bytesProcessedPerSecond": int(price.bytes / took),
            "linesProcessedPerSecond": int(price.rows / took),
            "totalBytesProcessed": price.bytes,
            "totalLinesProcessed": price.rows,
            "execTime": round(took, 6),
            "queueTime": 0,
            "subqueries": 0,
            "totalEntriesReturned": returned,
            "splits": 0,
            "shards": 0,
        },
        "querier": {"store": {"totalChunksRef": 0, "totalChunksDownloaded": 0, "chunksDownloadTime": 0}},
        "ingester": {},
    }
