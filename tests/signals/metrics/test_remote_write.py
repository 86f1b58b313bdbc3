"""Remote write 1.0 and 2.0: what arrives can be asked for, what cannot be kept is refused in words."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cramjam
import httpx
import pytest

from pilothouse.engine import Engine
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.flushing import Intake
from pilothouse.signals.metrics.prometheus.exemplars import exemplars
from pilothouse.signals.metrics.prometheus.metadata import metadata
from pilothouse.signals.metrics.prometheus.stored import StoredMetrics
from pilothouse.signals.metrics.promql.engine import evaluate
from pilothouse.signals.metrics.promql.numbers import STALE
from pilothouse.signals.metrics.promql.parser import parse
from pilothouse.signals.metrics.promql.planning import Grid
from pilothouse.signals.receive.remote_write import RemoteWriteReceiver
from pilothouse.signals.receive.remote_write_messages import WriteRequest, _Request
from pilothouse.signals.storing import storings
from tests.running import RunningServer
from tests.signals.metrics.real_prometheus import HEADERS, encoded
from tests.signals.metrics.stored import settled

V2_HEADERS = {**HEADERS, "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}


class _Store:
    def __init__(self, engine: Engine, directory: Path) -> None:
        self.intake = Intake(engine, directory / "journal", storings())
        self.intake.start()
        self.receiver = RemoteWriteReceiver(self.intake)
        self.metrics = StoredMetrics(engine)
        self.engine = engine
        self.now = int(time.time()) * 1000

    def take(self, request: Any, is_v2: bool = False) -> Any:
        taken = self.receiver.receive(request.SerializeToString(), is_v2)
        if taken.written is not None:
            taken.written.result(timeout=60)
        settled(self.intake)
        return taken

    def ask(self, query: str) -> dict[str, Any]:
        """Each series' value by its labels."""
        matrix = evaluate(self.metrics, query, Grid(self.now, self.now, 0)).matrix
        assert matrix is not None
        cells = matrix.values[:, 0].tolist()
        if matrix.histograms is not None:
            cells = [
                value if cell is None else str(cell) for value, cell in zip(cells, matrix.histograms[:, 0], strict=True)
            ]
        return {str(labels): value for labels, value in zip(matrix.labels, cells, strict=True)}


@pytest.fixture
def store(engine: Engine, tmp_path: Path) -> Iterator[_Store]:
    opened = _Store(engine, tmp_path)
    yield opened
    opened.intake.close()


def _add(request: Any, labels: dict[str, str], *samples: tuple[int, float]) -> Any:
    series = request.timeseries.add()
    for name in sorted(labels):
        series.labels.add(name=name, value=labels[name])
    for moment, value in samples:
        series.samples.add(timestamp=moment, value=value)
    return series


def test_samples_keep_their_labels(store: _Store) -> None:
    request = WriteRequest()
    _add(request, {"__name__": "up", "job": "shop/api", "instance": "a:1", "x.y": "é"}, (store.now, 1.0))
    _add(request, {"__name__": "gone", "job": "api"}, (store.now - 1000, 1.0), (store.now, STALE))
    taken = store.take(request)
    assert (taken.samples, taken.fault) == (3, "")
    assert store.ask('up{"x.y"="é"}') == {'{__name__="up", instance="a:1", job="shop/api", x.y="é"}': 1.0}
    assert store.ask("gone") == {}
    assert store.ask("count_over_time(gone[1m])") == {'{job="api"}': 1.0}
    found = store.engine.query("SELECT attributes FROM resources WHERE signal = 'metrics' ORDER BY attributes")
    assert [dict(row["attributes"]) for row in found.to_pylist()] == [
        {"service.instance.id": "a:1", "service.name": "api", "service.namespace": "shop"},
        {"service.name": "api"},
    ]


def test_a_request_sent_twice_counts_once(store: _Store) -> None:
    for _ in range(2):
        request = WriteRequest()
        _add(request, {"__name__": "hits_total"}, (store.now - 2000, 3.0), (store.now, 5.0))
        store.take(request)
    assert store.ask("count_over_time(hits_total[1m])") == {"{}": 2.0}
    assert store.engine.query("SELECT uniqExact(series) AS n FROM series").to_pylist() == [{"n": 1}]


def test_native_histograms(store: _Store) -> None:
    request = WriteRequest()
    series = _add(request, {"__name__": "wait"})
    histogram = series.histograms.add(count_int=11, sum=9.5, schema=2, zero_threshold=0.001, zero_count_int=2)
    histogram.timestamp = store.now
    histogram.positive_spans.add(offset=-2, length=2)
    histogram.positive_spans.add(offset=3, length=1)
    histogram.positive_deltas.extend([1, 2, -1])
    histogram.negative_spans.add(offset=1, length=1)
    histogram.negative_deltas.extend([3])
    custom = _add(request, {"__name__": "size"}).histograms.add(count_int=6, sum=10, schema=-53, timestamp=store.now)
    custom.positive_spans.add(offset=1, length=2)
    custom.positive_deltas.extend([2, 2])
    custom.custom_values.extend([1, 2, 5])
    assert store.take(request).histograms == 2
    expected = (
        "{count:11, sum:9.5, [-1.189207115002721,-1):3, [-0.001,0.001]:2, (0.5946035575013605,0.7071067811865475]:1, "
        "(0.7071067811865475,0.8408964152537144]:3, (1.4142135623730951,1.6817928305074288]:2}"
    )
    assert _numbers(store.ask("wait")['{__name__="wait"}']) == pytest.approx(_numbers(expected))
    assert store.ask("size") == {'{__name__="size"}': "{count:6, sum:10, (1,2]:2, (2,5]:4}"}
    assert store.ask("histogram_fraction(-2, 0, wait)")["{}"] == pytest.approx(4 / 11)


def test_histograms_whose_counts_are_no_whole_numbers(store: _Store) -> None:
    for _ in range(2):
        request = WriteRequest()
        series = _add(request, {"__name__": "wait:rate"})
        for ago, times in ((60_000, 1), (0, 3)):
            told = series.histograms.add(
                count_float=1.75 * times, sum=times, zero_count_float=0.25 * times, reset_hint=3
            )
            told.timestamp = store.now - ago
            told.positive_spans.add(offset=-2, length=1)
            told.positive_spans.add(offset=2, length=1)
            told.positive_counts.extend([0.5 * times, 0.75 * times])
            told.negative_spans.add(offset=0, length=1)
            told.negative_counts.extend([0.25 * times])
        custom = _add(request, {"__name__": "size:rate"}).histograms.add(
            count_float=0.75, sum=10, schema=-53, timestamp=store.now, custom_values=[1, 2, 5]
        )
        custom.positive_spans.add(offset=1, length=2)
        custom.positive_counts.extend([0.5, 0.25])
        gone = _add(request, {"__name__": "gone:rate"})
        gone.histograms.add(count_float=0.5, timestamp=store.now - 1000)
        gone.histograms.add(sum=STALE, timestamp=store.now)
        assert store.take(request).histograms == 5
    assert store.ask("wait:rate") == {
        '{__name__="wait:rate"}': "{count:5.25, sum:3, [-1,-0.5):0.75, [-0,0]:0.75, (0.125,0.25]:1.5, (1,2]:2.25}"
    }
    assert store.ask("size:rate") == {'{__name__="size:rate"}': "{count:0.75, sum:10, (1,2]:0.5, (2,5]:0.25}"}
    assert store.ask("gone:rate") == {}
    assert store.ask("count_over_time(wait:rate[5m])") == {"{}": 2.0}
    assert store.ask("histogram_count(sum_over_time(wait:rate[5m]))") == {"{}": 7.0}
    rounded = store.engine.query("SELECT count, zero_count, positive_counts FROM distributions WHERE scale = 0 LIMIT 1")
    assert rounded.to_pylist() == [{"count": 2, "zero_count": 0, "positive_counts": [0, 0, 0, 1]}]


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?[0-9.]+", text)]


def test_exemplars_lead_to_traces(store: _Store) -> None:
    request = WriteRequest()
    series = _add(request, {"__name__": "hits_total"}, (store.now, 1.0))
    exemplar = series.exemplars.add(value=0.5, timestamp=store.now)
    exemplar.labels.add(name="trace_id", value="0af7651916cd43dd8448eb211c80319c")
    exemplar.labels.add(name="user", value="x")
    store.take(request)
    assert exemplars(store.metrics, parse("rate(hits_total[5m])"), store.now - 1000, store.now) == [
        {
            "seriesLabels": {"__name__": "hits_total"},
            "exemplars": [
                {
                    "labels": {"trace_id": "0af7651916cd43dd8448eb211c80319c", "user": "x"},
                    "value": "0.5",
                    "timestamp": store.now / 1000,
                }
            ],
        }
    ]


def test_metadata(store: _Store) -> None:
    request = WriteRequest()
    request.metadata.add(type=1, metric_family_name="hits_total", help="Hits.", unit="")
    request.metadata.add(type=3, metric_family_name="wait_seconds", help="Waiting.", unit="seconds")
    store.take(request)
    store.take(request)
    assert metadata(store.engine, store.metrics) == {
        "hits_total": [{"type": "counter", "unit": "", "help": "Hits."}],
        "wait_seconds": [{"type": "histogram", "unit": "seconds", "help": "Waiting."}],
    }
    assert list(metadata(store.engine, store.metrics, limit=1)) == ["hits_total"]


def test_version_two(store: _Store) -> None:
    request = _Request()
    request.symbols.extend([b"", b"__name__", b"hits_total", b"job", b"api", b"Hits.", b"trace_id", b"ab" * 16])
    series = request.timeseries.add(labels_refs=[1, 2, 3, 4], created_timestamp=store.now - 60_000)
    series.samples.append(b"\x09" + struct.pack("<d", 7.0) + b"\x10" + _varint(store.now))
    series.metadata.type = 1
    series.metadata.help_ref = 5
    series.exemplars.add(labels_refs=[6, 7], value=1.0, timestamp=store.now)
    taken = store.take(request, is_v2=True)
    assert taken.headers == {
        "X-Prometheus-Remote-Write-Samples-Written": "1",
        "X-Prometheus-Remote-Write-Histograms-Written": "0",
        "X-Prometheus-Remote-Write-Exemplars-Written": "1",
    }
    assert store.ask("hits_total") == {'{__name__="hits_total", job="api"}': 7.0}
    assert metadata(store.engine, store.metrics)["hits_total"] == [{"type": "counter", "unit": "", "help": "Hits."}]
    started = store.engine.query("SELECT toUnixTimestamp64Milli(start_time) AS start FROM samples").to_pylist()
    assert started == [{"start": store.now - 60_000}]


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


@pytest.mark.parametrize(
    ("labels", "age", "fault"),
    [
        ({"job": "x"}, 0, "__name__ among them is wanted"),
        ({"__name__": "x"}, 40 * 86_400_000, "out of bounds"),
        ({"__name__": "x"}, -7_200_000, "out of bounds"),
    ],
)
def test_what_cannot_be_kept_is_said_and_the_rest_is_kept(
    store: _Store, labels: dict[str, str], age: int, fault: str
) -> None:
    request = WriteRequest()
    _add(request, {"__name__": "good"}, (store.now, 1.0))
    _add(request, labels, (store.now - age, 1.0))
    taken = store.take(request)
    assert fault in taken.fault
    assert taken.samples == 1
    assert store.ask('{__name__=~".+"}') == {'{__name__="good"}': 1.0}


@pytest.mark.parametrize(
    ("fields", "deltas", "fault"),
    [
        ({"count_float": 1.5}, [1], "whole numbers and as floats"),
        ({"count_float": -1.5}, [], "negative count"),
        ({"positive_counts": [-0.5]}, [], "negative count"),
        ({"positive_counts": [0.5, 1]}, [], "do not fit together"),
        ({"positive_counts": [0.5]}, [1], "there can be one"),
        ({"count_int": 2}, [1], "hold 1 observations, the count is 2"),
        ({"schema": 20}, [1], "schema 20"),
        ({"custom_values": [1]}, [1], "has its own bounds"),
        ({"schema": -53, "custom_values": [2, 1], "count_int": 1}, [1], "must rise"),
        ({"schema": -53, "custom_values": [1, float("nan")], "count_int": 1}, [1], "must rise"),
        ({"schema": -53, "count_int": 1, "zero_count_int": 1}, [1], "zero bucket"),
        ({"schema": -53, "count_int": 3, "negative_deltas": [1]}, [1], "negative buckets"),
        ({}, [1, 2], "do not fit together"),
        ({}, [-1], "negative count"),
    ],
)
def test_broken_histograms_are_refused(store: _Store, fields: dict[str, Any], deltas: list[int], fault: str) -> None:
    request = WriteRequest()
    histogram = _add(request, {"__name__": "wait"}).histograms.add(timestamp=store.now, **fields)
    if deltas or "positive_counts" in fields:
        histogram.positive_spans.add(offset=0, length=1)
    histogram.positive_deltas.extend(deltas)
    assert fault in store.take(request).fault
    assert store.ask("wait") == {}


def test_references_beyond_the_symbols_are_refused(store: _Store) -> None:
    request = _Request(symbols=[b"", b"a"])
    request.timeseries.add(labels_refs=[1, 9])
    with pytest.raises(BadRequestError, match="larger than there are symbols"):
        store.receiver.receive(request.SerializeToString(), True)
    with pytest.raises(BadRequestError, match=r"prometheus\.WriteRequest"):
        store.receiver.receive(b"\xff\xff\xff")


def test_over_http(server: RunningServer) -> None:
    address = f"{server.http}/prometheus/api/v1/write"
    now = int(time.time()) * 1000
    good = encoded([({"__name__": "over_http", "job": "x"}, [(now, 4.0)])])
    assert httpx.post(address, content=good, headers=HEADERS).status_code == 204
    for content, headers, status in (
        (b"", HEADERS, 400),
        (b"\xff\xff\xff\xff\x7fabc", HEADERS, 413),
        (good[:-3], HEADERS, 400),
        (bytes(cramjam.snappy.compress_raw(b"not protobuf")), HEADERS, 400),
        (good, {**HEADERS, "content-type": "text/plain"}, 415),
        (good, {**HEADERS, "content-encoding": "br"}, 415),
        (good, V2_HEADERS, 400),
    ):
        response = httpx.post(address, content=content, headers=headers)
        assert response.status_code == status, (response.status_code, response.text)
    deadline = time.monotonic() + 60
    query = {"query": "over_http", "time": now / 1000}
    while not (found := httpx.get(f"{server.http}/prometheus/api/v1/query", params=query).json()["data"]["result"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert found == [{"metric": {"__name__": "over_http", "job": "x"}, "value": [now // 1000, "4"]}]
