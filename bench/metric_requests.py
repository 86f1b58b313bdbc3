"""OTLP metric requests: an instance's some fifty series (runtime gauges, HTTP counters), exported every ten seconds."""

from __future__ import annotations

import random
import time
from itertools import starmap
from typing import Any

from bench.filling import Filling
from bench.resources import put

SERIES = 50
INTERVAL = 10_000_000_000
_STARTED = (time.time_ns() // 1_000_000_000 - 86_400) * 1_000_000_000
_ROUTES = ("/api/v2/cart/{id}", "/api/v2/orders", "/api/v1/products/{id}", "/internal/stock/{sku}")
_METHODS_AND_CODES = (("GET", 200), ("GET", 404), ("POST", 200), ("POST", 201), ("POST", 502))
_POOLS = ("G1 Eden", "G1 Old Gen", "G1 Survivor", "Metaspace", "CodeHeap")
_GAUGES = (
    ("jvm.memory.used", "By", 4e8, "jvm.memory.pool.name", _POOLS),
    ("jvm.memory.committed", "By", 6e8, "jvm.memory.pool.name", _POOLS),
    ("jvm.thread.count", "{thread}", 80.0, "jvm.thread.state", ("runnable", "waiting", "timed_waiting", "blocked")),
    ("db.client.connection.count", "{connection}", 10.0, "db.client.connection.state", ("idle", "used")),
    ("jvm.cpu.recent_utilization", "1", 0.4, "", ("",)),
    ("http.server.active_requests", "{request}", 12.0, "http.request.method", ("GET", "POST")),
)  # fmt: skip
_COUNTERS = (("http.server.requests", "{request}", 40.0), ("http.server.response.body.sent", "By", 90_000.0))


def add_metrics(scope_metrics: Any, filling: Filling, chosen: random.Random) -> int:
    """Fill in an instance's metrics; returns how many data points there are."""
    points = 0
    for name, unit, level, key, values in _GAUGES:
        metric = _metric(scope_metrics, name, unit)
        for value in values:
            point = metric.gauge.data_points.add()
            point.time_unix_nano = filling.time(0)
            point.as_double = filling.double(level * chosen.uniform(0.5, 1.5), 0, level / 50)
            put(point.attributes, {key: value} if key else {})
            points += 1
    for name, unit, rate in _COUNTERS:
        metric = _metric(scope_metrics, name, unit)
        metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True
        for place in range(16 if name.endswith("sent") else 15):
            method, code = _METHODS_AND_CODES[place % 5]
            point = metric.sum.data_points.add()
            point.start_time_unix_nano = _STARTED
            point.time_unix_nano = filling.time(0)
            point.as_int = filling.integer(1e6 * chosen.random(), rate * 10, 0)
            put(
                point.attributes,
                {
                    "http.request.method": method,
                    "http.route": _ROUTES[place // 5],
                    "http.response.status_code": code,
                    "url.scheme": "https",
                },
            )
            points += 1
    return points


def add_histograms(scope_metrics: Any, filling: Filling, chosen: random.Random) -> int:
    """Fill in an instance's request durations, a histogram of the conventional buckets a route and code."""
    metric = _metric(scope_metrics, "http.server.request.duration", "s")
    metric.histogram.aggregation_temporality = 2
    bounds = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
    for place in range(20):
        method, code = _METHODS_AND_CODES[place % 5]
        counts = [chosen.randrange(10_000) for _ in range(len(bounds) + 1)]
        rates = [chosen.randrange(40) for _ in counts]
        point = metric.histogram.data_points.add()
        point.start_time_unix_nano, point.time_unix_nano = _STARTED, filling.time(0)
        point.count = filling.integer(sum(counts), sum(rates))
        point.sum = filling.double(900.0 * chosen.random(), 3.0, 0.1)
        point.bucket_counts.extend(starmap(filling.integer, zip(counts, rates, strict=True)))
        point.explicit_bounds.extend(bounds)
        put(
            point.attributes,
            {"http.request.method": method, "http.route": _ROUTES[place // 5], "http.response.status_code": code},
        )
    return 20


def _metric(scope_metrics: Any, name: str, unit: str) -> Any:
    metric = scope_metrics.metrics.add()
    metric.name, metric.unit = name, unit
    metric.description = f"{name.replace('.', ' ').capitalize()}, as the semantic conventions define it."
    return metric
