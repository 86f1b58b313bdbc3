"""Prometheus remote write 1.0 and 2.0: `POST /prometheus/api/v1/write`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import cramjam
import numpy as np
from google.protobuf.message import DecodeError
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.receive.checking import TimeLimits
from pilothouse.signals.receive.checking_native_histograms import histogram_fault
from pilothouse.signals.receive.decoding import BodyError, raw_body, read_body
from pilothouse.signals.receive.remote_write_messages import Counted, Together, WriteRequest, from_v2
from pilothouse.signals.segment_rows import samples_written

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.flushing import Intake

KIND = "remote_write"
PATH = "/prometheus/api/v1/write"
_V1, _V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
_WRITTEN = "X-Prometheus-Remote-Write-{}-Written"
_MOST_LABELS = 500
_ENCODED_NAME = b"\x0a\x08__name__"
_samples, _histograms, _exemplars = map(attrgetter, ("samples", "histograms", "exemplars"))
_timestamp = attrgetter("timestamp")


@dataclass(frozen=True, slots=True)
class Taken:
    """What of a request was taken: counts, why the rest was not, and when it is on disk."""

    written: Future[None] | None
    samples: int
    histograms: int
    exemplars: int
    fault: str

    @property
    def headers(self) -> dict[str, str]:
        """The counts as version 2.0 answers them."""
        counts = {"Samples": self.samples, "Histograms": self.histograms, "Exemplars": self.exemplars}
        return {_WRITTEN.format(name): str(count) for name, count in counts.items()}


class RemoteWriteReceiver:
    """Takes requests into the journal. May be used from any thread."""

    def __init__(self, intake: Intake, limits: TimeLimits = TimeLimits()) -> None:
        self._intake, self._limits = intake, limits
        self.on_request: Callable[[str, int, int], None] = lambda kind, size, rejected: None

    def receive(self, body: bytes, is_v2: bool = False) -> Taken:
        """A request, decompressed. Raises `BadRequestError` when it does not parse, `OverloadedError` when not now."""
        payload = from_v2(body) if is_v2 else body
        now = time.time()
        first, last = int((now - self._limits.past) * 1000), int((now + self._limits.future) * 1000)
        if samples := samples_written(payload, first, last):
            return self._kept(payload, len(body), (samples, 0, 0))
        try:
            together = Together.FromString(payload)
        except DecodeError:
            raise BadRequestError(f"body: this is not a {_V2 if is_v2 else _V1}") from None
        counts = _usual(together.timeseries, payload, first, last)
        fault, rejected = "", 0
        if counts is None:
            request = WriteRequest.FromString(payload)
            fault, rejected = _cleaned(request.timeseries, first, last)
            payload = request.SerializeToString() if rejected else payload
            counts = _counted(request.timeseries)
        return self._kept(payload, len(body), counts, bool(together.metadata), fault, rejected)

    def _kept(
        self, payload: bytes, size: int, counts: tuple[int, int, int], has_metadata: bool = False, fault: str = "",
        rejected: int = 0,
    ) -> Taken:  # fmt: skip
        marks = _marks(counts, has_metadata)
        self.on_request(KIND, size, rejected)
        written = self._intake.accept(KIND, payload, marks) if marks else None
        return Taken(written, *counts, fault)

    def take(self, body: bytes) -> None:
        """A request of our own, such as a scrape; it is not waited for."""
        taken = self.receive(body)
        if taken.fault:
            raise BadRequestError(taken.fault)


def _usual(together: Any, payload: bytes, first: int, last: int) -> tuple[int, int, int] | None:
    """The counts of a request with nothing but samples of named series within the bounds of time; None of another.

    `together` is a series that has all series' samples, so that there is no loop over series; that over the samples is
    C's. That each series has a name is seen from the encoded bytes; should a label's value look the same, the series
    without a name is kept under the empty name.
    """
    if together.histograms or together.exemplars:
        return None
    times = np.fromiter(map(_timestamp, together.samples), np.int64, len(together.samples))
    if times.size and not (first <= times.min() and times.max() <= last):
        return None
    named = payload.count(_ENCODED_NAME) == len(Counted.FromString(payload).timeseries)
    return (times.size, 0, 0) if named else None


def _cleaned(series: Any, first: int, last: int) -> tuple[str, int]:
    """Take out what cannot be kept; why, for the first of them, and how many."""
    cleaning = _Cleaning(first, last)
    kept = [one for one in series if cleaning.keep(one)]
    if len(kept) < len(series):
        copies = [type(one).FromString(one.SerializePartialToString()) for one in kept]
        del series[:]
        series.extend(copies)
    return cleaning.fault, cleaning.rejected


class _Cleaning:
    def __init__(self, first: int, last: int) -> None:
        self._first, self._last = first, last
        self.fault, self.rejected = "", 0

    def keep(self, series: Any) -> bool:
        """Whether anything of a series is left."""
        if not _is_named(series):
            self._refuse("labels: each label once, none empty, and __name__ among them is wanted", series)
            return False
        self._filter(series.samples, series)
        self._filter(series.histograms, series)
        for place in reversed(range(len(series.histograms))):
            if fault := histogram_fault(series.histograms[place]):
                self._refuse(fault, series)
                del series.histograms[place]
        self._filter(series.exemplars, series, counted=False)
        return bool(series.samples or series.histograms or series.exemplars)

    def _filter(self, points: Any, series: Any, counted: bool = True) -> None:
        for place in reversed(range(len(points))):
            if not self._first <= points[place].timestamp <= self._last:
                if counted:
                    self._refuse("timestamp: out of bounds, too old or too far in the future", series)
                del points[place]

    def _refuse(self, reason: str, series: Any) -> None:
        self.rejected += 1
        if not self.fault:
            said = ", ".join(f'{label.name}="{label.value}"' for label in series.labels[:20])
            self.fault = f"{reason} (series {{{said[:500]}}})"


def _is_named(series: Any) -> bool:
    names = [label.name for label in series.labels]
    return "__name__" in names and "" not in names and len(set(names)) == len(names) <= _MOST_LABELS


def _counted(series: Any) -> tuple[int, int, int]:
    samples, histograms, exemplars = (sum(map(len, map(part, series))) for part in (_samples, _histograms, _exemplars))
    return samples, histograms, exemplars


def _marks(counts: tuple[int, int, int], has_metadata: bool) -> frozenset[str]:
    """Which tables a request fills."""
    marks = {name for name, count in zip(("samples", "histograms", "exemplars"), counts, strict=True) if count}
    if counts[0] or counts[1]:
        marks.add("resources")
    if has_metadata:
        marks.add("metadata")
    return frozenset(marks)


def routes(receiver: RemoteWriteReceiver, limit: int, path: str = PATH) -> list[Route]:
    """The endpoint, for requests of up to `limit` bytes decompressed."""

    async def write(request: Request) -> Response:
        kind = request.headers.get("content-type", "application/x-protobuf").replace(" ", "")
        media, _, parameter = kind.partition(";")
        proto = parameter.removeprefix("proto=") or _V1
        if media != "application/x-protobuf" or proto not in (_V1, _V2):
            return PlainTextResponse(f"content-type {kind!r} is not known", 415)
        encoding = request.headers.get("content-encoding", "snappy").strip().lower()
        try:
            body = await _body(request, encoding, limit)
            taken = await asyncio.to_thread(receiver.receive, body, proto == _V2)
            if taken.written is not None:
                await asyncio.wrap_future(taken.written)
        except BodyError as error:
            return PlainTextResponse(str(error), error.status)
        except BadRequestError as error:
            return PlainTextResponse(str(error), 400)
        except OverloadedError as error:
            return PlainTextResponse(str(error), 503, {"retry-after": str(max(1, round(error.retry_after)))})
        if taken.fault:
            return PlainTextResponse(taken.fault, 400, taken.headers)
        return Response(status_code=204, headers=taken.headers)

    return [Route(path, write, methods=["POST"])]


async def _body(request: Request, encoding: str, limit: int) -> bytes:
    if encoding != "snappy":
        return await read_body(request, limit)
    return unsnappy(await raw_body(request, limit), limit)


def unsnappy(body: bytes, limit: int) -> bytes:
    """The plain bytes of a snappy block, whose head says how many they are."""
    if _claimed(body) > limit:
        raise BodyError(413, f"the body decompresses to more than {limit} bytes")
    try:
        return bytes(cramjam.snappy.decompress_raw(body))
    except (cramjam.DecompressionError, ValueError, OverflowError) as error:
        raise BodyError(400, f"the compressed body is broken: {error}") from None


def _claimed(body: bytes) -> int:
    size = 0
    for place, byte in enumerate(body[:5]):
        size |= (byte & 127) << (7 * place)
        if byte < 128:
            return size
    raise BodyError(400, "the compressed body is broken: it does not say how long it is")
