"""Protobuf exposition: native and classic histograms, and what becomes of a scrape that ends."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pilothouse.signals.metrics.configuring import ScrapeConfig
from pilothouse.signals.metrics.promql.numbers import is_stale
from pilothouse.signals.metrics.protobuf import varint
from pilothouse.signals.metrics.scraping.exposition import ExpositionError
from pilothouse.signals.metrics.scraping.protobuf_exposition import _Family
from pilothouse.signals.metrics.scraping.samples import SeriesBook, request_of
from pilothouse.signals.receive.remote_write_messages import Histogram, WriteRequest

_AT = 1_700_000_000_000


def _body(*families: Any) -> bytes:
    parts = [family.SerializeToString() for family in families]
    return b"".join(varint(len(part)) + part for part in parts)


def _counter() -> Any:
    family = _Family(name="orders_total", help="Orders.", type=0)
    metric = family.metric.add()
    metric.label.add(name="path", value="/buy")
    metric.counter.value = 3
    metric.counter.exemplar.value = 1
    metric.counter.exemplar.label.add(name="trace_id", value="ab")
    return family


def _histogram(native: bool) -> Any:
    family = _Family(name="seconds", type=4)
    told = family.metric.add().histogram
    told.sample_count, told.sample_sum = 6, 12.5
    told.bucket.add(cumulative_count=4, upper_bound=1)
    if native:
        told.schema, told.zero_threshold, told.zero_count = 3, 1e-9, 1
        told.positive_span.add(offset=2, length=2)
        told.positive_delta.extend([2, 1])
    return family


def _series(book: SeriesBook, body: bytes, at: int = _AT) -> dict[str, Any]:
    request = WriteRequest.FromString(request_of(book.read_protobuf(body, at, Histogram).parts))
    return {
        "{" + ",".join(f"{label.name}={label.value}" for label in series.labels) + "}": series
        for series in request.timeseries
    }


def _book(**settings: Any) -> SeriesBook:
    return SeriesBook(ScrapeConfig(job_name="x", **settings), {"job": "x", "instance": "i"})


def test_counters_and_their_exemplars() -> None:
    (series,) = _series(_book(), _body(_counter())).values()
    assert [(label.name, label.value) for label in series.labels] == [
        ("__name__", "orders_total"), ("instance", "i"), ("job", "x"), ("path", "/buy")
    ]  # fmt: skip
    assert [(sample.value, sample.timestamp) for sample in series.samples] == [(3, _AT)]
    assert [(one.labels[0].value, one.timestamp) for one in series.exemplars] == [("ab", _AT)]


def test_a_classic_histogram() -> None:
    found = _series(_book(), _body(_histogram(native=False)))
    assert {name: series.samples[0].value for name, series in found.items()} == {
        "{__name__=seconds_count,instance=i,job=x}": 6,
        "{__name__=seconds_sum,instance=i,job=x}": 12.5,
        "{__name__=seconds_bucket,instance=i,job=x,le=1.0}": 4,
        "{__name__=seconds_bucket,instance=i,job=x,le=+Inf}": 6,
    }


def test_a_native_histogram_takes_the_place_of_buckets() -> None:
    (series,) = _series(_book(), _body(_histogram(native=True))).values()
    (told,) = series.histograms
    assert (told.count_int, told.sum, told.schema, told.zero_count_int) == (6, 12.5, 3, 1)
    assert [(span.offset, span.length) for span in told.positive_spans] == [(2, 2)]
    assert list(told.positive_deltas) == [2, 1]
    both = _series(_book(always_scrape_classic_histograms=True), _body(_histogram(native=True)))
    assert len(both) == 5


def test_a_native_histogram_of_fractions() -> None:
    family = _Family(name="seconds", type=5)
    told = family.metric.add().histogram
    told.sample_count_float, told.zero_count_float, told.schema = 1.75, 0.5, 3
    told.positive_span.add(offset=2, length=1)
    told.positive_count.extend([1.25])
    (series,) = _series(_book(), _body(family)).values()
    (made,) = series.histograms
    assert (made.count_float, made.zero_count_float, made.reset_hint) == (1.75, 0.5, 3)
    assert (list(made.positive_counts), list(made.positive_deltas)) == ([1.25], [])


def test_what_is_gone_becomes_stale() -> None:
    book = _book()
    _series(book, _body(_counter(), _histogram(native=True)))
    later = _series(book, _body(_counter()), _AT + 1000)
    (ended,) = (series for series in later.values() if series.histograms)
    assert is_stale(ended.histograms[0].sum)
    assert ended.histograms[0].timestamp == _AT + 1000
    (gone,) = WriteRequest.FromString(request_of(book.gone(_AT + 2000))).timeseries
    assert is_stale(gone.samples[0].value)
    reported = WriteRequest.FromString(request_of(book.reported({"up": 0.0, "x": math.nan}, _AT))).timeseries
    assert [is_stale(series.samples[0].value) for series in reported] == [False, True]


@pytest.mark.parametrize("body", [b"\x05abc", b"\x02\xff\xff", b"\x80"])
def test_bodies_that_are_broken(body: bytes) -> None:
    with pytest.raises(ExpositionError):
        _series(_book(), body)
