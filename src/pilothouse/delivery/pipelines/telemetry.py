"""A run as telemetry, in OTLP: its lines as log records, its tasks and steps as spans, its durations as metrics.

The service is `pipeline/NAME`, its version the run's name: so runs can be compared like releases. A step gets the
`TRACEPARENT` of its span, so that what it starts hangs below it. Sending never holds up a run: what cannot be sent
within a second at its end is dropped and counted.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import Any

from pilothouse.delivery.pipelines import conditions, events, tracing
from pilothouse.delivery.pipelines.events import Event

_BATCH = 1000
_MOST_WAITING = 200_000
_SERVER, _INTERNAL = 2, 1
_OK, _ERROR = 1, 2


class Telemetry:
    """A listener that sends what it hears to an OTLP/HTTP address."""

    def __init__(self, address: str, socket: str = "") -> None:
        self._socket = socket
        self._address = address.rstrip("/")
        self._queue: queue.Queue[tuple[str, Any] | None] = queue.Queue(_MOST_WAITING)
        self._spans: dict[str, str] = {}
        self._names: dict[str, tuple[str, str, str]] = {}
        self._children: dict[str, list[Any]] = {}
        self.dropped = 0
        self.problem = ""
        self._thread = threading.Thread(target=self._send_all, name="pipeline-telemetry", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, events.RunStarted):
            self._names[event.run] = (event.pipeline or event.run, event.trace, event.uid)
        elif isinstance(event, events.StepOutput):
            self._put("logs", event)
        elif isinstance(event, events.StepFinished | events.TaskFinished):
            self._children.setdefault(event.run, []).append(event)
        elif isinstance(event, events.RunFinished):
            self._put("run", (event, self._children.pop(event.run, [])))
            if event.kind in ("PipelineRun", "TaskRun"):
                self.flush()

    def flush(self, seconds: float = 2.0) -> None:
        """Give what waits a little time to be sent."""
        done = threading.Event()
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(("flush", done))
            done.wait(seconds)

    def _put(self, kind: str, what: Any) -> None:
        try:
            self._queue.put_nowait((kind, what))
        except queue.Full:
            self.dropped += 1

    def _send_all(self) -> None:
        logs: list[events.StepOutput] = []
        while True:
            item = self._queue.get() if not logs else self._next()
            if item is None or item[0] != "logs" or len(logs) >= _BATCH:
                self._send_logs(logs)
                logs = []
            if item is None:
                continue
            kind, what = item
            if kind == "logs":
                logs.append(what)
            elif kind == "run":
                self._send_run(*what)
            else:
                what.set()

    def _next(self) -> tuple[str, Any] | None:
        try:
            return self._queue.get(timeout=0.2)
        except queue.Empty:
            return None

    def _send_logs(self, found: list[events.StepOutput]) -> None:
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        if not found:
            return
        request = ExportLogsServiceRequest()
        by_run: dict[str, list[events.StepOutput]] = {}
        for one in found:
            by_run.setdefault(one.run, []).append(one)
        for run, outputs in by_run.items():
            resource = request.resource_logs.add()
            self._identify(resource.resource, run)
            scope = resource.scope_logs.add()
            for one in outputs:
                for line in one.data.decode("utf-8", "replace").splitlines():
                    record = scope.log_records.add(time_unix_nano=one.at, observed_time_unix_nano=one.at)
                    record.body.string_value = line
                    record.trace_id = bytes.fromhex(self._names.get(run, ("", "", ""))[1])
                    _attributes(
                        record.attributes,
                        {"pipeline.task": one.task, "pipeline.step": one.step, "pipeline.task_run": one.task_run},
                    )
        self._post("/v1/logs", request)

    def _send_run(self, event: events.RunFinished, children: list[Any]) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        self._identify(resource.resource, event.run)
        spans = resource.scope_spans.add()
        trace = bytes.fromhex(event.trace)
        root = event.span or tracing.new_span()
        found = conditions.of(event.status)
        _span(
            spans,
            trace,
            root,
            "",
            f"{event.kind} {event.pipeline or event.run}",
            event.started,
            event.at,
            found.succeeded,
            {"pipeline.reason": found.reason},
            _SERVER,
        )
        tasks = {
            one.task_run: one.span or tracing.new_span() for one in children if isinstance(one, events.TaskFinished)
        }
        for one in children:
            if isinstance(one, events.TaskFinished):
                state = conditions.of(one.status)
                more = {
                    "pipeline.task": one.task,
                    "pipeline.reason": state.reason,
                    "pipeline.cached": str(one.cached).lower(),
                }
                _span(
                    spans,
                    trace,
                    tasks[one.task_run],
                    root,
                    f"task {one.task}",
                    one.started,
                    one.at,
                    state.succeeded,
                    more,
                    _INTERNAL,
                )
            else:
                more = {"pipeline.task": one.task, "pipeline.step": one.step, "pipeline.exit_code": str(one.code)}
                _span(
                    spans,
                    trace,
                    one.span,
                    tasks.get(one.task_run, root),
                    f"step {one.step}",
                    one.started,
                    one.at,
                    not one.code,
                    more,
                    _INTERNAL,
                )
        self._post("/v1/traces", request)
        self._send_metrics(event, children)

    def _send_metrics(self, event: events.RunFinished, children: list[Any]) -> None:
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        request = ExportMetricsServiceRequest()
        resource = request.resource_metrics.add()
        self._identify(resource.resource, event.run)
        metrics = resource.scope_metrics.add().metrics
        for name, kind in (
            ("pipeline.run.duration", events.RunFinished),
            ("pipeline.task.duration", events.TaskFinished),
            ("pipeline.step.duration", events.StepFinished),
        ):
            rows = [one for one in (event, *children) if isinstance(one, kind)]
            if not rows:
                continue
            metric = metrics.add(name=name, unit="s")
            for one in rows:
                point = metric.gauge.data_points.add(
                    time_unix_nano=one.at, as_double=max(0, one.at - one.started) / 1e9
                )
                labels = {"pipeline.task": getattr(one, "task", ""), "pipeline.step": getattr(one, "step", "")}
                if not isinstance(one, events.StepFinished):
                    labels["pipeline.reason"] = conditions.of(one.status).reason
                _attributes(point.attributes, {key: value for key, value in labels.items() if value})
        self._post("/v1/metrics", request)

    def _identify(self, resource: Any, run: str) -> None:
        pipeline, _, uid = self._names.get(run, (run, "", ""))
        _attributes(
            resource.attributes,
            {
                "service.name": f"pipeline/{pipeline}",
                "service.version": run,
                "service.instance.id": uid,
                "pipeline.name": pipeline,
            },
        )

    def _post(self, path: str, request: Any) -> None:
        import httpx

        through = httpx.HTTPTransport(uds=self._socket) if self._socket else None
        try:
            with httpx.Client(transport=through, timeout=5) as client:
                answer = client.post(
                    self._address + path,
                    content=request.SerializeToString(),
                    headers={"Content-Type": "application/x-protobuf"},
                )
            if not answer.is_success:
                self.problem = f"{self._address}{path} answered {answer.status_code}: {answer.text[:200]}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.problem = f"{self._address}{path}: {error or type(error).__name__}"


def _attributes(target: Any, found: dict[str, str]) -> None:
    for key, value in found.items():
        target.add(key=key).value.string_value = value


def _span(
    spans: Any,
    trace: bytes,
    span: str,
    parent: str,
    name: str,
    start: int,
    end: int,
    good: bool,
    more: dict[str, str],
    kind: int,
) -> None:
    made = spans.spans.add(
        trace_id=trace, span_id=bytes.fromhex(span), parent_span_id=bytes.fromhex(parent), name=name, kind=kind,
        start_time_unix_nano=start, end_time_unix_nano=max(start, end),
    )  # fmt: skip
    made.status.code = _OK if good else _ERROR
    _attributes(made.attributes, more)
