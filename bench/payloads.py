"""Payload files: many requests of one kind, written before any clock starts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.filling import Filling, Template
from bench.log_requests import RARE, add_record
from bench.metric_requests import INTERVAL, SERIES, add_histograms, add_metrics
from bench.resources import RESOURCES, attributes, put
from bench.span_requests import add_span

SIGNALS = {"logs": "logs", "spans": "traces", "samples": "metrics", "histograms": "metrics"}
"""What is measured, with the kind of request that it travels in."""

_LEAST_TEMPLATES = 40
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Payload:
    """A file of requests: `offsets` (requests + 1) say where each begins."""

    path: Path
    kind: str
    records: int
    records_per_request: int
    size: int

    @property
    def requests(self) -> int:
        """How many requests there are."""
        return self.records // self.records_per_request

    @property
    def offsets(self) -> Any:
        """Where each request begins in the file, and the end of the last."""
        return np.load(self.path.with_suffix(".npy"))


@cache
def templates(signal: str, records: int) -> list[Template]:
    """The templates whose requests, sent in turn, hold every resource."""
    per_resource = {"samples": SERIES, "histograms": 20}.get(signal, 100 if records >= 1000 else 50)
    at_once = max(1, records // per_resource)
    turns = -(-RESOURCES // at_once)
    count = turns if signal in ("samples", "histograms") else turns * -(-_LEAST_TEMPLATES // turns)
    return [Template(_builder(signal, turn * at_once, at_once, records, turn), records) for turn in range(count)]


def write(
    path: Path, signal: str, records: int, records_per_request: int, lines: BinaryIO | None = None, seed: int = 1,
) -> Payload:  # fmt: skip
    """Write `records` records; with `lines`, the log bodies also go there as raw text.

    The newest record is of now. Metrics are ten seconds apart for a series; the rest covers the last five minutes.
    """
    made = templates(signal, records_per_request)
    requests, generator = records // records_per_request, np.random.default_rng(seed)
    step = INTERVAL / len(made) if signal in ("samples", "histograms") else 300 * _SECOND / requests
    start = time.time_ns() - int(step * requests) - 2 * _SECOND
    sizes = []
    with path.open("wb") as file:
        for number in range(requests):
            template = made[number % len(made)]
            turn = number // len(made)
            moment = start + (turn * INTERVAL if step == INTERVAL / len(made) else int(number * step))
            request = template.fill(generator, moment, turn)
            file.write(request)
            sizes.append(len(request))
            if lines:
                lines.write(template.text(request))
    np.save(path.with_suffix(".npy"), np.concatenate([[0], np.cumsum(sizes)]))
    return Payload(path, SIGNALS[signal], requests * records_per_request, records_per_request, sum(sizes))


def _builder(signal: str, first: int, at_once: int, records: int, turn: int) -> Callable[[Filling], Any]:
    def build(filling: Filling) -> Any:
        chosen = random.Random(turn)
        request = _REQUESTS[SIGNALS[signal]]()
        added = 0
        for place in range(at_once):
            number = (first + place) % RESOURCES
            share = records // at_once
            added += _FILLERS[signal](request, number, share, filling, chosen, place * share, records)
        assert added == records, (added, records)
        if signal == "logs" and turn == 0:
            request.resource_logs[0].scope_logs[0].log_records[7].body.string_value += RARE
            filling.lines[7] += RARE
        return request

    return build


def _logs(request: Any, number: int, share: int, filling: Filling, chosen: random.Random, first: int, of: int) -> int:
    resource = request.resource_logs.add()
    put(resource.resource.attributes, attributes(number))
    scope = resource.scope_logs.add()
    scope.scope.name, scope.scope.version = "io.opentelemetry.logback-appender-1.0", "2.12.0-alpha"
    for which in range(first, first + share):
        add_record(scope.log_records.add(), filling, chosen, which, of)
    return share


def _spans(request: Any, number: int, share: int, filling: Filling, chosen: random.Random, first: int, of: int) -> int:
    resource = request.resource_spans.add()
    put(resource.resource.attributes, attributes(number))
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = "io.opentelemetry.tomcat-10.0", "2.12.0-alpha"
    for which in range(first, first + share):
        add_span(scope.spans.add(), filling, chosen, which, of)
    return share


def _metrics(add: Callable[[Any, Filling, random.Random], int]) -> Callable[..., int]:
    def fill(
        request: Any, number: int, share: int, filling: Filling, chosen: random.Random, first: int, of: int
    ) -> int:
        resource = request.resource_metrics.add()
        put(resource.resource.attributes, attributes(number))
        scope = resource.scope_metrics.add()
        scope.scope.name, scope.scope.version = "io.opentelemetry.runtime-telemetry-java17", "2.12.0-alpha"
        return add(scope, filling, chosen)

    return fill


_REQUESTS = {
    "logs": ExportLogsServiceRequest,
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
_FILLERS: dict[str, Callable[..., int]] = {
    "logs": _logs,
    "spans": _spans,
    "samples": _metrics(add_metrics),
    "histograms": _metrics(add_histograms),
}
