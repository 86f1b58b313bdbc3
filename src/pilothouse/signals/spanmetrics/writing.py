"""Counts as OTLP metrics, under the names that dashboards for Tempo and for the collector ask for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilothouse.signals.receive.messages import request_class
from pilothouse.signals.receive.span_request import Plain, add_all
from pilothouse.signals.spanmetrics.counting import Counts, Operation

_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUSES = ("UNSET", "OK", "ERROR")
_CUMULATIVE = 2
_MILLISECOND, _SECOND = 1_000_000, 1_000_000_000
Resource = Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Form:
    """How a tool names and shapes span metrics; `bounds` are in nanoseconds, `per_unit` is how many make a unit."""

    calls: str
    duration: str
    unit: str
    per_unit: int
    bounds: tuple[int, ...]
    labels: tuple[str, str, str, str]


# Grafana Tempo, "Generate metrics from spans": a counter, a histogram in seconds of powers of two from 2 ms.
TEMPO = Form(
    "traces_spanmetrics_calls", "traces_spanmetrics_latency", "", _SECOND,
    tuple(2 * _MILLISECOND * 2**power for power in range(14)), ("service", "span_name", "span_kind", "status_code"),
)  # fmt: skip
# OpenTelemetry collector, connector "spanmetrics": the same in milliseconds with bounds of its own.
COLLECTOR = Form(
    "traces.span.metrics.calls", "traces.span.metrics.duration", "ms", _MILLISECOND,
    tuple(bound * _MILLISECOND for bound in
          (2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000)),
    ("service.name", "span.name", "span.kind", "status.code"),
)  # fmt: skip
FORMS = {"tempo": (TEMPO,), "collector": (COLLECTOR,), "both": (TEMPO, COLLECTOR), "off": ()}
"""The forms by the words of the setting `span_metrics`."""


_NOTHING = Counts()


@dataclass(frozen=True, slots=True)
class Times:
    """When counting began, the round before this one, and this one; Unix nanoseconds."""

    since: int
    before: int
    now: int


def request(
    found: Sequence[tuple[Operation, Counts]],
    resources: Mapping[int, Resource],
    forms: Sequence[Form],
    times: Times,
) -> Any:
    """An OTLP request with all counts.

    An operation that is new has a point of nothing one round earlier, so that its first calls count as an increase.
    """
    made = request_class("metrics")()
    scopes: dict[int, list[tuple[Any, Any]]] = {}
    for (identity, name, kind, status), counts in found:
        resource = resources.get(identity)
        if resource is None:
            continue
        if identity not in scopes:
            scopes[identity] = _metrics(made, resource, forms)
        values = (
            str(resource.get("service.name", "")), name, f"SPAN_KIND_{_named(_KINDS, kind)}",
            f"STATUS_CODE_{_named(_STATUSES, status)}",
        )  # fmt: skip
        for form, (calls, durations) in zip(forms, scopes[identity], strict=True):
            labels = list(zip(form.labels, values, strict=True))
            for moment, told in ((times.before, _NOTHING), (times.now, counts))[not counts.fresh :]:
                _point(calls.sum, labels, times.since, moment).as_int = told.calls
                _fill(_point(durations.histogram, labels, times.since, moment), told, form)
    return made


def _metrics(made: Any, resource: Resource, forms: Sequence[Form]) -> list[tuple[Any, Any]]:
    of_resource = made.resource_metrics.add()
    add_all(of_resource.resource.attributes, resource.items())
    scope = of_resource.scope_metrics.add()
    scope.scope.name = "pilothouse.spanmetrics"
    found = []
    for form in forms:
        calls, durations = scope.metrics.add(name=form.calls), scope.metrics.add(name=form.duration, unit=form.unit)
        calls.sum.aggregation_temporality = durations.histogram.aggregation_temporality = _CUMULATIVE
        calls.sum.is_monotonic = True
        found.append((calls, durations))
    return found


def _point(data: Any, labels: list[tuple[str, str]], since: int, now: int) -> Any:
    point = data.data_points.add()
    point.start_time_unix_nano, point.time_unix_nano = since, now
    add_all(point.attributes, labels)
    return point


def _fill(point: Any, counts: Counts, form: Form) -> None:
    """A bucket of the engine lies within one of the form's: the engine's edges are those of all forms together."""
    buckets = [0] * (len(form.bounds) + 1)
    for lower, calls in counts.buckets.items():
        # A bucket holds what is above its lower edge, up to and with its upper one.
        buckets[bisect_left(form.bounds, lower + 1)] += calls
    point.count, point.sum = counts.calls, counts.took / form.per_unit
    point.explicit_bounds.extend(bound / form.per_unit for bound in form.bounds)
    point.bucket_counts.extend(buckets)
    for example in counts.examples.values():
        exemplar = point.exemplars.add(as_double=example.duration / form.per_unit)
        exemplar.trace_id, exemplar.span_id = example.trace_id, example.span_id
        exemplar.time_unix_nano = example.time


def _named(names: Sequence[str], number: int) -> str:
    return names[number] if number < len(names) else str(number)
