"""The profiler of this process: samples, watches, and sends a profile every ten seconds."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from pilothouse.profiler import heap as heaps
from pilothouse.profiler.cpu import CpuSampler, Sampled
from pilothouse.profiler.pprof_writing import pprof
from pilothouse.profiler.resource import resource_of_process
from pilothouse.profiler.spans import SpanIds

log = logging.getLogger("pilothouse.profiler")

SERVICE = "service.name"
_MOST_STACKS = 20_000
# Of the time that passes, this part may be spent with looking at the heap.
_HEAP_SHARE = 0.005
_running: list[Profiler] = []


class Profiler:
    """Sends what this process spends and holds. `resource` says who it is, `rate` is samples a second.

    `heap` None watches memory where that is cheap, True anywhere: see `pilothouse.profiler.heap`.
    """

    def __init__(
        self, server: str, resource: Mapping[str, str], rate: int = 25, period: float = 10.0, cpu: bool = True,
        heap: bool | None = None, heap_frames: int = 1, spans: SpanIds | None = None,
    ) -> None:  # fmt: skip
        if not resource.get(SERVICE):
            raise ValueError("no service.name: set OTEL_SERVICE_NAME, or say start(..., service='NAME')")
        if not 1 <= rate <= 1000:
            raise ValueError(f"rate: {rate} is not between 1 and 1000 a second")
        self.spans = spans or SpanIds()
        self._server, self._resource, self._rate, self._period = server.rstrip("/"), dict(resource), rate, period
        self._sampler = CpuSampler(rate, self.spans.labels_of) if cpu else None
        self._heap_choice = heap, heap_frames
        self._heap = heaps.heap(heap, heap_frames)
        self._stopping, self._complained = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="pilothouse-profiler", daemon=True)

    def start(self) -> None:
        """Begin."""
        for part in (self._heap, self._sampler, self._thread):
            if part:
                part.start()

    def stop(self) -> None:
        """End, and send what is left."""
        self._stopping.set()
        self._thread.join(10)
        for part in (self._sampler, self._heap):
            if part:
                part.stop()

    def again(self) -> Profiler:
        """The same for another process: a forked one has none of the threads."""
        return Profiler(
            self._server, self._resource, self._rate, self._period, self._sampler is not None, *self._heap_choice,
            self.spans,
        )  # fmt: skip

    def _run(self) -> None:
        begin, heap_at = time.time_ns(), time.monotonic() + self._period
        heap_begin = begin
        left: Sampled = {}
        while True:
            last = self._stopping.wait(self._period)
            now = time.time_ns()
            if self._sampler:
                for key, nanoseconds in self._sampler.take().items():
                    left[key] = left.get(key, 0) + nanoseconds
                # What could not be sent goes with the next one, unless it grows too large.
                if not left or self._send(self._cpu(left, begin, now), "process_cpu") or len(left) > _MOST_STACKS:
                    begin, left = now, {}
            if self._heap and (last or time.monotonic() >= heap_at):
                self._send(self._held(self._heap, heap_begin, now), "memory")
                heap_begin = now
                heap_at = time.monotonic() + max(self._period, self._heap.took / _HEAP_SHARE)
            if last:
                return

    def _cpu(self, sampled: Sampled, begin: int, end: int) -> bytes:
        samples: dict[Any, list[int]] = {}
        for (places, labels), nanoseconds in sampled.items():
            frames = tuple((code.co_qualname, code.co_filename, line) for code, line in places)
            samples.setdefault((frames, labels), [0])[0] += nanoseconds
        period = 1_000_000_000 // self._rate
        return pprof(samples, [("cpu", "nanoseconds")], begin, end - begin, (period, "cpu", "nanoseconds"))

    def _held(self, heap: heaps.Heap, begin: int, end: int) -> bytes:
        samples: dict[Any, tuple[int, ...]] = {(stack, ()): values for stack, values in heap.take().items()}
        return pprof(samples, heap.types, begin, end - begin, (heap.interval, "space", "bytes"))

    def _send(self, body: bytes, family: str) -> bool:
        name = urlencode({"name": _named(self._resource, family), "format": "pprof", "spyName": "pilothouse"})
        request = urllib.request.Request(f"{self._server}/pyroscope/ingest?{name}", body, method="POST")  # noqa: S310
        if token := os.environ.get("PILOTHOUSE_TOKEN"):
            request.add_header("authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310
                self._complained = False
                return True
        except (OSError, ValueError) as error:
            reason = error.read(500).decode("utf-8", "replace") if isinstance(error, urllib.error.HTTPError) else error
            # Once, and not every ten seconds for as long as the server is away.
            if not self._complained:
                log.warning("profiles are not taken by %s: %s", self._server, reason)
            self._complained = True
            # What is refused would be refused again.
            return isinstance(error, urllib.error.HTTPError) and error.code < 500


def start(
    server: str = "", *, service: str = "", version: str = "", labels: Mapping[str, str] | None = None,
    rate: int = 25, period: float = 10.0, cpu: bool = True, heap: bool | None = None, heap_frames: int = 1,
) -> Profiler:  # fmt: skip
    """Profile this process until `stop`, or its end. A second call ends the first one's profiler.

    `server` is Pilothouse's address (default: `PILOTHOUSE_SERVER`, then http://127.0.0.1:4000). `service`, `version`
    and `labels` add to the OpenTelemetry resource. `heap` None watches memory where that is cheap, True anywhere. Call
    it after the tracer provider was set: samples then carry span ids. Raises `ValueError` when nobody says which
    service this is.
    """
    stop()
    resource = resource_of_process() | dict(labels or {})
    resource |= {name: text for name, text in ((SERVICE, service), ("service.version", version)) if text}
    where = server or os.environ.get("PILOTHOUSE_SERVER", "") or "http://127.0.0.1:4000"
    profiler = Profiler(where, resource, rate, period, cpu, heap, heap_frames)
    _note_spans(profiler.spans)
    profiler.start()
    _running.append(profiler)
    return profiler


def stop() -> None:
    """End what `start` began, and send what is left."""
    while _running:
        _running.pop().stop()


def _note_spans(spans: SpanIds) -> None:
    trace = sys.modules.get("opentelemetry.trace")
    add = getattr(trace.get_tracer_provider(), "add_span_processor", None) if trace else None
    if add:
        add(spans)


def _named(resource: Mapping[str, str], family: str) -> str:
    """`shop.cpu{service.version="1"}`, as the ingest takes it."""
    tags = {"__name__": family} | {name: text for name, text in resource.items() if name != SERVICE and text}
    quoted = ",".join(
        '{}="{}"'.format(quote(name, safe="_./-"), text.replace("\\", "\\\\").replace('"', '\\"'))
        for name, text in tags.items()
    )
    return f"{resource[SERVICE]}{{{quoted}}}"


def _after_fork() -> None:
    """A forked process (a worker of gunicorn, for example) has none of its parent's threads: begin anew."""
    forked = [profiler.again() for profiler in _running]
    _running[:] = forked
    for profiler in forked:
        profiler.start()


os.register_at_fork(after_in_child=_after_fork)
