"""Values of queries as Prometheus' JSON, written out directly: results are large and have one shape."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from pilothouse.signals.metrics.promql.engine import Value
from pilothouse.signals.metrics.promql.histogram import Bucket, Histogram
from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.matrix import Floats, Matrix, occupied
from pilothouse.signals.metrics.promql.numbers import format_f
from pilothouse.signals.metrics.promql.selection import Selection

if TYPE_CHECKING:
    from pilothouse.signals.metrics.prometheus import _json_points as native
else:
    try:
        from pilothouse.signals.metrics.prometheus import _json_points as native
    except ImportError:  # not compiled here, or for another Python
        native = None


def said(content: Any) -> str:
    """JSON without blanks."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def data(value: Value, limit: int = 0) -> tuple[bytes, bool]:
    """`{"resultType": ..., "result": ...}` of a value, and whether `limit` cut it short."""
    if native is not None and value.kind == "matrix" and value.matrix is not None and value.matrix.histograms is None:
        return _numbers(value.matrix, value.steps.tolist(), limit)
    text, cut = _data(value, limit)
    return encoded(text), cut


def encoded(text: str) -> bytes:
    """UTF-8; what cannot be said in it becomes a question mark."""
    return text.encode("utf-8", "replace")


def _numbers(matrix: Matrix, steps: list[int], limit: int) -> tuple[bytes, bool]:
    """A matrix without histograms, its points put together in C."""
    count = min(limit or len(matrix.labels), len(matrix.labels))
    values, present = np.ascontiguousarray(matrix.values[:count]), np.ascontiguousarray(matrix.present[:count])
    heads = [b'{"metric":%s,"values":[' % _metric_bytes(labels) for labels in matrix.labels[:count]]
    times = [f'[{time(step)},"'.encode() for step in steps]
    # The shortest digits that give each number back, by one pass in Rust.
    numbers = orjson.dumps(values[present], option=orjson.OPT_SERIALIZE_NUMPY)
    rows = native.rows(heads, times, numbers, values, present.view(np.uint8))
    return b'{"resultType":"matrix","result":[%s]}' % rows, count < len(matrix.labels)


def _metric_bytes(labels: Labels) -> bytes:
    try:
        return orjson.dumps(labels.map)
    except TypeError:  # half of a pair of surrogates
        return encoded(said(labels.map))


def _data(value: Value, limit: int) -> tuple[str, bool]:
    match value.kind:
        case "string":
            return f'{{"resultType":"string","result":[{time(int(value.steps[0]))},{said(value.text)}]}}', False
        case "scalar":
            assert value.scalars is not None
            point = f'[{time(int(value.steps[0]))},"{format_f(float(value.scalars[0]))}"]'
            return f'{{"resultType":"scalar","result":{point}}}', False
        case "vector":
            assert value.matrix is not None
            rows = _vector(value.matrix, int(value.steps[0]))
        case _:
            rows = _matrix(value)
    cut = bool(limit) and len(rows) > limit
    result = ",".join(rows[:limit] if cut else rows)
    return f'{{"resultType":"{value.kind}","result":[{result}]}}', cut


def time(milliseconds: int) -> str:
    """Unix seconds with the milliseconds that there are."""
    sign = "-" if milliseconds < 0 else ""
    seconds, rest = divmod(abs(milliseconds), 1000)
    return f"{sign}{seconds}.{rest:03d}".rstrip("0") if rest else f"{sign}{seconds}"


def scalar_matrix(value: Value) -> str:
    """A scalar of a range query: one series without labels."""
    assert value.scalars is not None
    points = _points([f'[{time(step)},"' for step in value.steps.tolist()], value.scalars)
    return f'{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{points}]}}]}}'


def _metric(labels: Labels) -> str:
    return said(labels.map)


def _vector(matrix: Matrix, step: int) -> list[str]:
    rows = []
    for row, labels in enumerate(matrix.labels):
        cell = None if matrix.histograms is None else matrix.histograms[row, 0]
        if cell is None:
            point = f'"value":[{time(step)},"{format_f(float(matrix.values[row, 0]))}"]'
        else:
            point = f'"histogram":[{time(step)},{said(histogram(cell))}]'
        rows.append(f'{{"metric":{_metric(labels)},{point}}}')
    return rows


def _matrix(value: Value) -> list[str]:
    if value.samples is not None:
        return _raw(value.samples)
    assert value.matrix is not None
    matrix, steps = value.matrix, value.steps.tolist()
    prefixes = np.array([f'[{time(step)},"' for step in steps], dtype=object)
    floats, rows = matrix.floats, []
    for row, labels in enumerate(matrix.labels):
        there = floats[row]
        if there.all():
            points = _points(prefixes.tolist(), matrix.values[row])
        else:
            points = _points(prefixes[there].tolist(), matrix.values[row][there])
        cells = []
        if matrix.histograms is not None:
            cells = [
                (step, cell) for step, cell, has in zip(
                    steps, matrix.histograms[row], matrix.present[row], strict=True
                ) if has and cell is not None
            ]  # fmt: skip
        rows.append(_series(labels, points, cells))
    return rows


def _raw(samples: Selection) -> list[str]:
    rows = []
    for row, labels in enumerate(samples.labels):
        span = slice(samples.offsets[row], samples.offsets[row + 1])
        times, values = samples.times[span], samples.values[span]
        cells = []
        if samples.histograms is not None:
            found = samples.histograms[span]
            plain = ~occupied(found)
            cells = list(zip(times[~plain].tolist(), found[~plain], strict=True))
            times, values = times[plain], values[plain]
        points = _points([f'[{time(step)},"' for step in times.tolist()], values)
        rows.append(_series(labels, points, cells))
    return rows


def _series(labels: Labels, points: str, cells: list[tuple[int, Histogram]]) -> str:
    parts = [f'"metric":{_metric(labels)}']
    if points:
        parts.append(f'"values":[{points}]')
    if cells:
        told = ",".join(f"[{time(step)},{said(histogram(cell))}]" for step, cell in cells)
        parts.append(f'"histograms":[{told}]')
    return "{" + ",".join(parts) + "}"


def _points(prefixes: list[str], values: Floats) -> str:
    if not prefixes:
        return ""
    if np.isfinite(values).all():
        # One pass in Rust; whole numbers lose their `.0`, exponents (rare) are written out below.
        texts = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY).decode()[1:-1]
        if "e" not in texts:
            pieces = (texts + ",").replace(".0,", ",").split(",")
            return '"],'.join(map(str.__add__, prefixes, pieces)) + '"]'
    return '"],'.join(map(str.__add__, prefixes, map(format_f, values.tolist()))) + '"]'


def histogram(value: Histogram) -> dict[str, Any]:
    """A native histogram as the API tells it."""
    told: dict[str, Any] = {"count": format_f(value.count), "sum": format_f(value.sum)}
    if buckets := [_bucket(bucket, value) for bucket in _told(value) if bucket.count]:
        told["buckets"] = buckets
    return told


def _told(value: Histogram) -> list[Bucket]:
    zero = [Bucket(-value.zero_threshold, value.zero_threshold, value.zero_count)] if value.zero_count else []
    return [*reversed(list(value.negatives())), *zero, *value.positives()]


def _bucket(bucket: Bucket, value: Histogram) -> list[Any]:
    lower_in = bucket.lower == -math.inf if value.is_custom else bucket.lower < 0 or bucket.lower == bucket.upper == 0
    upper_in = value.is_custom or bucket.upper > 0 or bucket.lower == bucket.upper == 0
    kind = 3 if lower_in and upper_in else 1 if lower_in else 0 if upper_in else 2
    return [kind, format_f(bucket.lower), format_f(bucket.upper), format_f(bucket.count)]
