"""Columns made in C are the rows that the engine makes of the same segment; what is odd is left to the engine."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pilothouse.engine import Engine, SegmentStatement
from pilothouse.signals import segment_rows
from pilothouse.signals.journal import framed
from pilothouse.signals.logs.storing import RECORDS
from pilothouse.signals.metrics import remote_writing
from pilothouse.signals.metrics.decimals import STALE_BITS
from pilothouse.signals.metrics.storing import SAMPLES, SERIES
from pilothouse.signals.receive.otlp import Receiver
from pilothouse.signals.receive.remote_write_messages import WriteRequest
from pilothouse.signals.traces.storing import SPANS
from tests.signals.receive.conftest import examples
from tests.signals.receive.otlp_requests import LOGS, METRICS, NOW, TRACES
from tests.signals.receive.test_scanning import _Journal, _ordinary
from tests.signals.receive.wire_forms import broken, reordered, varint
from tests.thorough import THOROUGH

pytestmark = pytest.mark.skipif(
    not segment_rows.is_there(), reason="native/segment_rows.c was not compiled (no compiler)"
)


@pytest.fixture(autouse=True)
def in_this_process(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--engine") == "server":
        pytest.skip("columns are made for the engine in this process; a server parses segments itself")


KINDS: dict[str, tuple[tuple[SegmentStatement, ...], Any]] = {
    "logs": ((RECORDS,), LOGS),
    "traces": ((SPANS,), TRACES),
    "metrics": ((SERIES, SAMPLES), METRICS),
}
_WRITTEN = (remote_writing.RESOURCES, remote_writing.SERIES, remote_writing.SAMPLES)
_STATEMENTS = {kind: statements for kind, (statements, _) in KINDS.items()} | {"remote_write": _WRITTEN}
_numbers = count()


class _Kept(_Journal):
    """What the door journals, framed."""

    def accept(self, kind: str, payload: bytes, marks: frozenset[str], ahead: bytes) -> Any:
        written = super().accept(kind, payload, marks, ahead)
        self.taken[-1] = b"".join(framed(part) for part in (ahead, payload) if part)  # type: ignore[call-overload]
        return written


def _segment(kind: str, requests: list[Any], chosen: random.Random) -> bytes:
    """What the journal holds of these requests; spans' lists stay together, else they are the engine's to read."""
    journal = _Kept()
    receiver = Receiver(journal)  # type: ignore[arg-type]
    for request in requests:
        forms = [request.SerializeToString()]
        if kind == "logs":
            forms.append(reordered(request, chosen, room=True))
        receiver.receive(kind, chosen.choice(forms))
    return b"".join(journal.taken)  # type: ignore[arg-type]


class _Both:
    """One store, and a segment's rows by either way."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self._engine, self._directory = engine, directory

    def agree(self, kind: str, segment: bytes) -> int:
        """Assert that both ways come to the same rows; how many there are."""
        file = self._directory / f"{next(_numbers)}.segment"
        file.write_bytes(segment)
        made: list[str] = []
        for statement in _STATEMENTS[kind]:
            made = self._rows(replace(statement, select="SELECT refuse to parse"), file)
            assert made == self._rows(replace(statement, block=None), file)
        return len(made)

    def _rows(self, statement: SegmentStatement, file: Path) -> list[str]:
        self._engine.command(f"TRUNCATE TABLE {statement.table}")
        self._engine.command("TRUNCATE TABLE span_recent")
        self._engine.store_segment(statement, file, f"rows-{next(_numbers)}")
        # As text, byte for byte; when a series was noted is by the clock.
        told = "SELECT * EXCEPT noted APPLY(value -> hex(toString(value)))"
        rows = self._engine.query(f"{told} FROM {statement.table}").to_pylist()
        return sorted(map(repr, rows))


@pytest.fixture(scope="module")
def both(files_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Both]:
    yield _Both(files_engine, tmp_path_factory.mktemp("segments"))
    for statement in (RECORDS, SPANS, SERIES, SAMPLES, remote_writing.RESOURCES):
        files_engine.command(f"TRUNCATE TABLE {statement.table}")
    files_engine.command("TRUNCATE TABLE span_recent")


@pytest.mark.parametrize("kind", KINDS)
@examples(2, 200)
@given(data=st.data())
def test_both_ways_come_to_the_same_rows(both: _Both, kind: str, data: st.DataObject) -> None:
    requests = data.draw(st.lists(KINDS[kind][1], min_size=3, max_size=6))
    segment = _segment(kind, requests, random.Random(data.draw(st.integers(0, 2**32))))
    # Doubles whose digits are hard to tell are the engine's, and what has no record has no rows.
    if _made(kind, segment):
        both.agree(kind, segment)


def test_numbers_are_written_as_the_engine_writes_them(both: _Both) -> None:
    chosen = random.Random(3)
    doubles = [0.0, -0.0, 0.1, -1.5, 1e-6, 1e-7, 9.999999e-7, 1e20, 1e21, 123456789012345680.0, 1.7e308, 2.0**-20,
               float("inf"), float("-inf"), float("nan"), 1 / 3, 100.0, 0.3, 2**53 + 2.0]  # fmt: skip
    doubles += [chosen.uniform(-1e3, 1e3) for _ in range(400)] + [10.0**n * chosen.random() for n in range(-30, 30)]
    doubles += [number for (number,) in struct.iter_unpack("<d", chosen.randbytes(8 * 400)) if abs(number) > 1e-300]
    integers = [0, 9, 10, -1, 2**63 - 1, -(2**63), *(10**n for n in range(19)), *(1 - 10**n for n in range(19))]
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for place in range(max(len(doubles), len(integers))):
        record = scope.log_records.add(time_unix_nano=NOW - place)
        record.body.double_value = doubles[place % len(doubles)]
        record.attributes.add(key="whole").value.int_value = integers[place % len(integers)]
        record.attributes.add(key="bytes").value.bytes_value = chosen.randbytes(place % 7)
        record.attributes.add(key=f"key {place}" * (place % 3)).value.bool_value = place % 2 == 0
    segment = framed(request.SerializeToString())
    assert both.agree("logs", segment) == len(doubles)


@pytest.mark.parametrize("kind", ["logs", "traces"])
def test_rows_come_in_the_order_of_the_table(both: _Both, kind: str) -> None:
    """Hours, identities, names and times are far from it."""
    chosen, frames = random.Random(5), []
    for _ in range(30):
        message = ExportLogsServiceRequest() if kind == "logs" else ExportTraceServiceRequest()
        speaker = (message.resource_logs if kind == "logs" else message.resource_spans).add()
        for _ in range(20):
            time = NOW - chosen.randrange(6 * 3_600) * 10**9
            if kind == "logs":
                speaker.scope_logs.add().log_records.add(time_unix_nano=time).body.string_value = str(time)
            else:
                speaker.scope_spans.add().spans.add(
                    trace_id=chosen.randbytes(16), span_id=chosen.randbytes(8), start_time_unix_nano=time,
                    name=chosen.choice(["", "a", "ab", "b", "\N{SNOWMAN}"]),
                )  # fmt: skip
        identity = b"\x81\x7d" + chosen.choice([1, 2, 2**64 - 1]).to_bytes(8, "little")
        frames.append(framed(_with_resource(message.SerializeToString(), identity)))
    assert both.agree(kind, b"".join(frames)) == 600


def _with_resource(body: bytes, resource: bytes) -> bytes:
    """A request of one speaker, with these bytes as its resource."""
    length = 2
    while body[length - 1] > 127:
        length += 1
    return _inside(1, body[length:] + _inside(1, resource))


def _inside(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def _one_record(record: bytes) -> bytes:
    return _inside(1, _inside(2, _inside(2, record)))


def _made(kind: str, segment: bytes) -> bytes | None:
    """The block, or None where the segment is left to the engine."""
    taken = bytearray()

    def room(size: int) -> memoryview:
        taken.extend(bytes(size))
        return memoryview(taken)

    written = segment_rows.native.write_rows(kind, segment, room)
    assert written is None or written[0] == len(taken)
    return None if written is None else bytes(taken)


def test_numbers_of_series_are_kept_as_the_engine_keeps_them(both: _Both) -> None:
    chosen, request = random.Random(7), ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    stale = struct.unpack("<d", STALE_BITS.to_bytes(8, "little"))[0]
    values = [0.0, -0.0, 1.5, 0.01, 1e-9, 1e-10, 2.0**53, 2.0**53 + 2, -(2.0**60), 90071992547409.92, 90071992547409.93,
              float("nan"), float("inf"), 1e300, 5e-324, 0.1 + 0.2, stale]  # fmt: skip
    values += [round(chosen.uniform(-1e6, 1e6), place % 10) for place in range(300)]
    for place, value in enumerate(values):
        metric = metrics.add(name=f"m{place % 3}", unit="s", description="how long")
        points = metric.sum.data_points if place % 3 else metric.gauge.data_points
        if place % 3:
            metric.sum.aggregation_temporality, metric.sum.is_monotonic = 1 + place % 2, place % 4 > 1
        labels = [{"key": "k", "value": {"string_value": str(place % 5)}}, {"key": "n", "value": {"int_value": 1}}]
        times = {"time_unix_nano": NOW - place * 1_234_567, "start_time_unix_nano": NOW // (1 + place % 2)}
        points.add(as_double=value, attributes=labels[:: 1 - place % 2 * 2], flags=int(place % 7 == 0), **times)
        points.add(as_int=int.from_bytes(chosen.randbytes(8), "little", signed=True), **times)
    metrics.add(name="h").histogram.data_points.add(time_unix_nano=NOW, count=1)
    metrics.add(name="empty")
    assert both.agree("metrics", framed(request.SerializeToString())) == 2 * len(values)


_TIME = b"\x09" + NOW.to_bytes(8, "little")
ODD = {
    "a body twice": b"\x2a\x03\x0a\x01a" * 2,
    "an array that is not JSON yet": b"\x2a\x04\x2a\x02\x0a\x00",
    "two members of a value": b"\x2a\x04\x10\x01\x18\x02",
    "a flag that is two": b"\x2a\x02\x10\x02",
    "a number longer than it need be": b"\x2a\x03\x18\x81\x00",
    "a value before its key": b"\x32\x08\x12\x03\x0a\x01b\x0a\x01a",
    "a severity of another wire type": b"\x15\x01\x00\x00\x00",
    "a severity below zero": b"\x10" + b"\xff" * 9 + b"\x01",
    "a number that is almost zero": b"\x2a\x09\x21" + struct.pack("<d", 5e-324),
    "a group": b"\x7b\x7c",
    "an end in the middle": b"\x2a\x7f",
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_odd_is_left_to_the_engine(what: str) -> None:
    assert _made("logs", _one_record(_TIME + ODD[what])) is None


def test_a_field_of_a_newer_protocol_is_passed_over(both: _Both) -> None:
    record = _TIME + b"\xaa\x01\x01z" + b"\x2a\x03\x0a\x01a" + b"\xb0\x01\x05"
    assert both.agree("logs", framed(_one_record(record))) == 1


def _written(chosen: random.Random) -> bytes:
    """Remote write: series with and without targets, in several requests, with odd values, starts, exemplars."""
    frames = []
    values = [0.0, -0.0, 0.1, 1e300, float("nan"), struct.unpack("<d", STALE_BITS.to_bytes(8, "little"))[0], 2.0**60]
    for number in range(5):
        request = WriteRequest()
        for place in range(40):
            series = request.timeseries.add(start=NOW // 1_000_000 - 9000 if place % 3 == 0 else 0)
            labels = {"__name__": ("up", "tides_total", "höhe")[place % 3], "pier": f"p{place % 11}", "empty": ""}
            labels |= {"job": ("a/b", "c")[place % 2]} if place % 5 else {}
            labels |= {"instance": f"i{place % 4}"} if place % 7 else {}
            for name in chosen.sample(sorted(labels), len(labels)) if place % 2 else sorted(labels):
                series.labels.add(name=name, value=labels[name])
            for sample in range(place % 4):
                value = chosen.choice([*values, chosen.uniform(-9, 9), float(chosen.randrange(10**6))])
                series.samples.add(timestamp=NOW // 1_000_000 - 15_000 * (number + sample), value=value)
            if place % 9 == 0:
                series.exemplars.add(value=1.0)
        request.metadata.add(metric_family_name="up", help="whether it is")
        frames.append(framed(request.SerializeToString()))
    return b"".join(frames)


def test_remote_writes_rows_are_those_that_the_engine_makes(both: _Both) -> None:
    segment = _written(random.Random(2))
    assert both.agree("remote_write", segment) == 5 * sum(place % 4 for place in range(40))


def test_the_least_time_of_numbers_is_told(tmp_path: Path) -> None:
    file = tmp_path / "one.segment"
    file.write_bytes(_written(random.Random(2)))
    block = remote_writing.SAMPLES.block
    assert block is not None
    told = block.write(file, lambda size: memoryview(bytearray(size)))
    assert told is not None
    assert told[1] == NOW // 1_000_000 - 15_000 * (4 + 2)


def test_histograms_of_remote_write_are_the_engines() -> None:
    request = WriteRequest()
    series = request.timeseries.add()
    series.labels.add(name="__name__", value="up")
    series.samples.add(timestamp=1, value=1.0)
    assert _made("remote_write", framed(request.SerializeToString()))
    series.histograms.add(timestamp=1)
    assert _made("remote_write", framed(request.SerializeToString())) is None


def _usual(**labels: str) -> Any:
    request = WriteRequest()
    series = request.timeseries.add(start=5)
    for name, value in {"__name__": "höhe", "pier": "", **labels}.items():
        series.labels.add(name=name, value=value)
    for moment in (1000, 2000):
        series.samples.add(timestamp=moment, value=1.5)
    return request


def test_the_usual_request_of_remote_write_is_looked_at_in_c() -> None:
    assert segment_rows.samples_written(_usual().SerializeToString(), 1000, 2000) == 2
    twice = _usual().SerializeToString() + _usual(zone="b").SerializeToString()
    assert segment_rows.samples_written(twice, 0, 3000) == 4
    assert segment_rows.samples_written(b"", 0, 3000) == 0


def _nameless() -> bytes:
    request = _usual()
    del request.timeseries[0].labels[0]
    return bytes(request.SerializeToString())


def _with(add: Callable[[Any], object]) -> bytes:
    request = _usual()
    add(request.timeseries[0])
    return bytes(request.SerializeToString())


@pytest.mark.parametrize(
    "odd",
    [
        _nameless(), _usual(a="out of order").SerializeToString(), _usual().SerializeToString()[:-1],
        _with(lambda series: series.labels.add(name="pier", value="twice")),
        _with(lambda series: series.labels.add(name="", value="nothing")),
        _with(lambda series: series.histograms.add(timestamp=1000)),
        _with(lambda series: series.exemplars.add(value=1)),
        _with(lambda series: series.samples.add(timestamp=999)),
        _with(lambda series: series.samples.add(timestamp=2001)),
        _with(lambda series: series.samples.add(timestamp=-1)), _usual().SerializeToString().replace(b"\xc3", b"\xff"),
        _usual().SerializeToString() + b"\x1a\x02\x08\x01", b"no protobuf",
    ],
)  # fmt: skip
def test_what_is_odd_in_remote_write_is_for_others_to_look_at(odd: bytes) -> None:
    assert segment_rows.samples_written(odd, 1000, 2000) is None


def test_broken_requests_of_remote_write_are_looked_at_within_their_bounds() -> None:
    chosen = random.Random(1)
    whole = _usual(zone="b").SerializeToString() * 3
    for _ in range(20_000 if THOROUGH else 600):
        segment_rows.samples_written(broken(whole, chosen), 0, 3000)


@pytest.mark.parametrize("kind", _STATEMENTS)
def test_broken_segments_are_refused_or_read(kind: str) -> None:
    """With a sanitizer this was given millions; here it must neither end the process nor write beyond its room."""
    chosen = random.Random(9)
    segment = _written(chosen) if kind == "remote_write" else _segment(kind, [_ordinary(kind)], chosen)
    for _ in range(20_000 if THOROUGH else 600):
        _made(kind, broken(segment, chosen))
    assert _made(kind, segment)


def test_a_segment_that_cannot_be_noted_in_memory_is_the_engines(tmp_path: Path) -> None:
    def no_room(size: int) -> memoryview:
        raise OSError(28, "no space")

    file = tmp_path / "one.segment"
    file.write_bytes(_segment("logs", [_ordinary("logs")], random.Random(1)))
    block = segment_rows.rows_of("logs")
    assert block is not None
    with pytest.raises(OSError, match="no space"):
        block.write(file, no_room)
    assert block.write(file, lambda size: memoryview(bytearray(size))), "the next one finds everything in order"
    file.write_bytes(b"")
    assert block.write(file, no_room) is None
