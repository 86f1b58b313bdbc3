"""Remote read: the bytes as protobuf's own classes read them, and a real Prometheus that answers from us."""

from __future__ import annotations

import struct
import time
from pathlib import Path
from typing import Any

import cramjam
import httpx
import numpy as np
import pytest

from pilothouse.signals.metrics.prometheus.asking import ApiError
from pilothouse.signals.metrics.prometheus.remote_reading import ReadRequest, ReadResponse, answered, request_of
from pilothouse.signals.metrics.promql.errors import LimitError
from pilothouse.signals.metrics.promql.histogram import CUSTOM, Histogram
from pilothouse.signals.metrics.promql.labels import labels_of
from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.memory import MemoryStorage
from pilothouse.signals.metrics.promql.numbers import STALE, STALE_BITS
from tests.running import RunningServer
from tests.signals.metrics.real_prometheus import BINARY, HEADERS, encoded, start_prometheus

_NOW = 1_790_000_000_123


def _request(*matchers: tuple[int, str, str], end: int = _NOW, accepted: tuple[int, ...] = ()) -> Any:
    request = ReadRequest(accepted_response_types=accepted)
    query = request.queries.add(start_timestamp_ms=0, end_timestamp_ms=end)
    for kind, name, value in matchers:
        query.matchers.add(type=kind, name=name, value=value)
    return request


def _asked(store: MemoryStorage, request: Any, **external: str) -> list[Any]:
    response = ReadResponse.FromString(answered(store, request_of(request.SerializeToString()), external, 100))
    return list(response.results[0].timeseries)


def test_samples_as_they_are_stored() -> None:
    store = MemoryStorage()
    labels = labels_of({NAME: "orders", "path": "/é"})
    points = [(5, -0.5), (_NOW - 1, float("inf")), (_NOW, STALE), (_NOW + 1, 1.0)]
    for moment, value in points:
        store.add(labels, moment, value)
    [series] = _asked(store, _request((0, NAME, "orders"), (3, "path", "x.*")), region="north", path="theirs")
    assert [(one.name, one.value) for one in series.labels] == [(NAME, "orders"), ("path", "/é"), ("region", "north")]
    assert [(one.timestamp, one.value) for one in series.samples[:2]] == points[:2]
    assert series.samples[2].timestamp == _NOW
    assert struct.unpack("<Q", struct.pack("<d", series.samples[2].value))[0] == STALE_BITS
    assert len(series.samples) == 3


def test_our_external_labels_are_none_of_the_series() -> None:
    store = MemoryStorage()
    store.add(labels_of({NAME: "up"}), _NOW, 1.0)
    assert len(_asked(store, _request((0, NAME, "up"), (0, "region", "north")), region="north")) == 1
    assert not _asked(store, _request((0, NAME, "up"), (0, "region", "south")), region="north")


def test_native_histograms() -> None:
    store = MemoryStorage()
    wait = Histogram(2, 11, 9.5, 0.001, 2, positive={-2: 1, -1: 3, 3: 2}, negative={1: 3}, hint="gauge")
    size = Histogram(CUSTOM, 6, 10.0, positive={1: 2, 2: 4}, custom=(1.0, 2.0, 5.0))
    store.add(labels_of({NAME: "a"}), _NOW, wait)
    store.add(labels_of({NAME: "b"}), _NOW, size)
    [first], [second] = (list(series.histograms) for series in _asked(store, _request((2, NAME, "a|b"))))
    assert [(span.offset, span.length) for span in first.positive_spans] == [(-2, 2), (3, 1)]
    assert list(first.positive_deltas) == [1, 2, -1]
    assert [(span.offset, span.length) for span in first.negative_spans] == [(1, 1)]
    assert (first.count_int, first.sum, first.zero_count_int, first.reset_hint, first.timestamp) == (
        11,
        9.5,
        2,
        3,
        _NOW,
    )
    assert list(second.custom_values) == [1, 2, 5]
    store.add(labels_of({NAME: "c"}), _NOW, Histogram(0, 1.5, 2.0, zero_count=1.0, positive={1: 0.25, 2: 0.25}))
    [third] = _asked(store, _request((0, NAME, "c")))[0].histograms
    assert (third.count_float, third.zero_count_float, list(third.positive_counts)) == (1.5, 1.0, [0.25, 0.25])
    assert (third.count_int, list(third.positive_deltas)) == (0, [])
    assert [(span.offset, span.length) for span in second.positive_spans] == [(1, 2)]


def test_what_cannot_be_answered_is_said() -> None:
    store = MemoryStorage()
    for moment in range(101):
        store.add(labels_of({NAME: "up"}), moment, 1.0)
    with pytest.raises(LimitError, match="100"):
        _asked(store, _request((0, NAME, "up")))
    for request, reason in (
        (_request((2, NAME, "(")), "error parsing regexp"),
        (_request((9, NAME, "up")), "no type 9"),
        (_request((0, NAME, "up"), accepted=(1,)), "only SAMPLES"),
    ):
        with pytest.raises(ApiError, match=reason):
            _asked(store, request)
    with pytest.raises(ApiError, match=r"prometheus\.ReadRequest"):
        request_of(b"\xff\xff")


@pytest.mark.skipif(not BINARY, reason="needs Debian's package prometheus")
def test_a_real_prometheus_answers_from_us(server: RunningServer, tmp_path: Path) -> None:
    now = int(time.time()) * 1000
    times = np.arange(now - 600_000, now, 15_000).tolist()
    series = [
        ({NAME: "far_orders_total", "path": path}, [(at, factor * place) for place, at in enumerate(times)])
        for path, factor in (("/buy", 2.0), ("/sell", 0.1))
    ]
    httpx.post(f"{server.http}/prometheus/api/v1/write", content=encoded(series), headers=HEADERS).raise_for_status()
    read = f"{server.http}/prometheus/api/v1/read"
    theirs = start_prometheus(tmp_path, f"remote_read: [{{url: '{read}', read_recent: true}}]\n")
    try:
        for query in ("far_orders_total[595s]", 'sum(rate(far_orders_total{path=~"/b.*"}[299s]))'):
            asked = {"query": query, "time": now / 1000}
            deadline = time.monotonic() + 60
            while True:
                ours = httpx.get(f"{server.http}/prometheus/api/v1/query", params=asked).json()["data"]
                if ours["result"]:
                    break
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert theirs.get("query", asked).json()["data"] == ours
    finally:
        theirs.stop()
    for body in (b"", b"\xff" * 10, bytes(cramjam.snappy.compress_raw(b"no"))):
        assert httpx.post(read, content=body).status_code == 400
