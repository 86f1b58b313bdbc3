"""What a data point must have to be kept: a time that is near enough, and buckets that add up."""

from __future__ import annotations

from itertools import pairwise
from operator import attrgetter
from typing import Any

from pilothouse.signals.receive.checking import Announcements, Check, of_time
from pilothouse.signals.receive.messages import EXEMPLAR

_exemplars = attrgetter("exemplars")
_MOST_BUCKETS = 10_000


def check_metrics(request: Any, check: Check, announcements: Announcements) -> None:
    """Take out the points that cannot be kept, and note which tables the rest goes to."""
    for resource_metrics in request.resource_metrics:
        metrics = [metric for scope in resource_metrics.scope_metrics for metric in scope.metrics]
        times: list[int] = []
        for metric in metrics:
            times.extend(map(of_time, _points(metric, check)))
        if not check.times_hold(times):
            _keep_in_time(metrics, check)
        check.end_resource("metrics", resource_metrics.resource, announcements)


def look_at_metrics(request: Any, check: Check, found: str) -> None:
    """Note which kinds of metric have exemplars."""
    if EXEMPLAR not in found:
        return
    for resource_metrics in request.resource_metrics:
        for scope in resource_metrics.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                if kind not in (None, "summary") and any(map(_exemplars, getattr(metric, kind).data_points)):
                    check.marks.add(f"{kind} exemplars")


def _points(metric: Any, check: Check) -> Any:
    """The points of a metric, those of a broken shape taken out."""
    kind = metric.WhichOneof("data")
    if kind is None:
        check.reasons[f"metric {metric.name!r} has no data"] += 1
        return ()
    points = getattr(metric, kind).data_points
    fault = _SHAPES.get(kind)
    if not metric.name:
        check.keep(points, lambda point: "metric.name is empty")
    elif fault and any(map(fault, points)):
        check.keep(points, fault)
    check.marks.add(kind if fault else "numbers")
    return points


def _keep_in_time(metrics: list[Any], check: Check) -> None:
    for metric in metrics:
        if kind := metric.WhichOneof("data"):
            points = getattr(metric, kind).data_points
            check.keep(points, lambda point: check.time_fault("time_unix_nano", point.time_unix_nano))
            check.times_hold(list(map(of_time, points)))


def _histogram_fault(point: Any) -> str:
    counts, bounds = point.bucket_counts, point.explicit_bounds
    if counts and len(counts) != len(bounds) + 1:
        return f"bucket_counts has {len(counts)} entries for {len(bounds)} explicit_bounds, one more is wanted"
    if bounds and not counts:
        return "explicit_bounds without bucket_counts"
    if len(counts) > _MOST_BUCKETS:
        return f"bucket_counts has more than {_MOST_BUCKETS} entries"
    if counts and sum(counts) != point.count:
        return "count is not the sum of bucket_counts"
    if any(not low < high for low, high in pairwise(bounds)):
        return "explicit_bounds does not ascend"
    return ""


def _exponential_fault(point: Any) -> str:
    positive, negative = point.positive.bucket_counts, point.negative.bucket_counts
    if max(len(positive), len(negative)) > _MOST_BUCKETS:
        return f"bucket_counts has more than {_MOST_BUCKETS} entries"
    if not -20 <= point.scale <= 30:
        return "scale is not between -20 and 30"
    if sum(positive) + sum(negative) + point.zero_count != point.count:
        return "count is not the sum of zero_count and bucket_counts"
    return ""


def _summary_fault(point: Any) -> str:
    if any(not 0 <= value.quantile <= 1 for value in point.quantile_values):
        return "quantile_values.quantile is not between 0 and 1"
    return ""


_SHAPES = {
    "histogram": _histogram_fault,
    "exponential_histogram": _exponential_fault,
    "summary": _summary_fault,
}
