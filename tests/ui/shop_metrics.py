"""The shop's metrics, derived from its calls: request durations with exemplars, memory, CPU, orders."""

from __future__ import annotations

import math
from typing import Any

from tests.ui.shop_requests import MILLISECOND, SERVER, Call, pairs

SECOND = 1_000_000_000
EVERY = 15 * SECOND
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0)
CUMULATIVE = 2


def metrics_of(calls: list[Call], version: str, start: int, end: int) -> list[dict[str, Any]]:
    """OTLP metrics with a point every fifteen seconds."""
    served = sorted((call for call in calls if call.kind == SERVER), key=lambda call: call.end)
    times = range(start + EVERY, end, EVERY)
    return [
        {
            "name": "http.server.request.duration", "unit": "s", "description": "Duration of HTTP server requests.",
            "histogram": {"aggregation_temporality": CUMULATIVE, "data_points": _durations(served, start, times)},
        },
        _number("process.memory.usage", "By", False, start, [(at, _memory(version, at - start)) for at in times]),
        _number("process.cpu.time", "s", True, start, [(at, (at - start) / SECOND * _load(version)) for at in times]),
        _number("shop.orders", "{order}", True, start, [(at, _until(served, at)) for at in times]),
        {
            "name": "process.threads", "unit": "{thread}", "description": "Threads of the process.",
            "gauge": {"data_points": [
                {"start_time_unix_nano": start, "time_unix_nano": at, "as_int": 11 + (at // EVERY) % 3} for at in times
            ]},
        },
    ]  # fmt: skip


def _number(name: str, unit: str, monotonic: bool, start: int, points: list[tuple[int, float]]) -> dict[str, Any]:
    return {
        "name": name,
        "unit": unit,
        "sum": {
            "aggregation_temporality": CUMULATIVE,
            "is_monotonic": monotonic,
            "data_points": [
                {"start_time_unix_nano": start, "time_unix_nano": at, "as_double": value} for at, value in points
            ],
        },
    }


def _memory(version: str, age: int) -> float:
    most = 188e6 if version == "2.0.0" else 121e6
    return most + 2e6 * math.sin(age / SECOND / 90) + 800 * age / SECOND


def _load(version: str) -> float:
    return 0.31 if version == "2.0.0" else 0.18


def _until(served: list[Call], at: int) -> float:
    return float(sum(call.end < at for call in served))


def _durations(served: list[Call], start: int, times: range) -> list[dict[str, Any]]:
    points: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for key in sorted({_labels(call) for call in served}):
        chosen = [call for call in served if _labels(call) == key]
        counts, total, place = [0] * (len(BOUNDS) + 1), 0.0, 0
        for at in times:
            fresh = []
            while place < len(chosen) and chosen[place].end < at:
                fresh.append(chosen[place])
                place += 1
            for call in fresh:
                seconds = (call.end - call.start) / MILLISECOND / 1e3
                counts[sum(seconds > bound for bound in BOUNDS)] += 1
                total += seconds
            points.setdefault(key, []).append(_point(key, start, at, counts, total, fresh))
    return [point for found in points.values() for point in found]


def _labels(call: Call) -> tuple[str, str, str]:
    said = call.attributes
    return said["http.request.method"], said["http.route"], said["http.response.status_code"]


def _point(
    key: tuple[str, ...], start: int, at: int, counts: list[int], total: float, fresh: list[Call]
) -> dict[str, Any]:
    names = ("http.request.method", "http.route", "http.response.status_code")
    slowest = max(fresh, key=lambda call: call.end - call.start, default=None)
    exemplars = [
        {
            "time_unix_nano": slowest.end, "as_double": (slowest.end - slowest.start) / SECOND,
            "trace_id": slowest.trace_id, "span_id": slowest.span_id,
        }
    ] if slowest else []  # fmt: skip
    return {
        "start_time_unix_nano": start, "time_unix_nano": at, "count": sum(counts), "sum": total,
        "bucket_counts": list(counts), "explicit_bounds": BOUNDS, "exemplars": exemplars,
        "attributes": pairs(dict(zip(names, key, strict=True))),
    }  # fmt: skip
