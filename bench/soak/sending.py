"""Senders of numbered logs, spans and samples, and the count of what is there at the end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from bench.soak.serving import Served

KINDS = ("logs", "traces", "metrics")
_RECORDS = 50
_PROTOBUF = {"content-type": "application/x-protobuf"}
_RESOURCE = {"attributes": [{"key": "service.name", "value": {"string_value": "soak"}}]}


class Sender(threading.Thread):
    """Sends requests of one kind, each until it is acknowledged."""

    def __init__(self, kind: str, served: Served, rate: float) -> None:
        super().__init__(daemon=True, name=f"soak-{kind}")
        self.kind, self._served, self._pause = kind, served, 1 / rate
        self.acknowledged, self.resent, self.stop = 0, 0, threading.Event()
        self.began = time.time_ns()

    def run(self) -> None:
        """Until it is stopped; what is on its way then is sent to the end."""
        with httpx.Client(timeout=30, headers=_PROTOBUF) as client:
            while not self.stop.is_set():
                body = _BODIES[self.kind](self.acknowledged * _RECORDS, time.time_ns())
                while not self._taken(client, body):
                    self.resent += 1
                    time.sleep(0.2)
                self.acknowledged += 1
                self.stop.wait(self._pause)

    def _taken(self, client: httpx.Client, body: bytes) -> bool:
        try:
            return client.post(f"{self._served.otlp}/v1/{self.kind}", content=body).status_code == 200
        except httpx.HTTPError:
            return False

    def checked(self) -> dict[str, int]:
        """How many records were acknowledged, are there, are not, and are there more than once."""
        wanted = self.acknowledged * _RECORDS
        deadline = time.monotonic() + 120
        while (found := self._counted()) < wanted and time.monotonic() < deadline:
            time.sleep(0.5)
        return {"acknowledged": wanted, "there": found, "lost": max(wanted - found, 0), "twice": max(found - wanted, 0)}

    def _counted(self) -> int:
        start = str(self.began // 10**9 - 1)
        given: dict[str, dict[str, Any]] = {
            "logs": {"query": 'sum(count_over_time({service_name="soak"}[2h]))'},
            "traces": {"q": '{ resource.service.name = "soak" } | count_over_time()', "start": start},
            "metrics": {"query": 'sum(count_over_time(soak_number{job="soak"}[2h]))'},
        }
        path = {
            "logs": "/loki/api/v1/query",
            "metrics": "/prometheus/api/v1/query",
            "traces": "/tempo/api/metrics/query",
        }
        if self.kind == "traces":
            given["traces"]["end"] = str(time.time_ns() // 10**9 + 2)
        answer = httpx.get(self._served.http + path[self.kind], params=given[self.kind], timeout=60)
        answer.raise_for_status()
        content = answer.json()
        if self.kind == "traces":
            return round(sum(float(one.get("value", 0)) for one in content["series"]))
        return round(sum(float(one["value"][1]) for one in content["data"]["result"]))


def _logs(first: int, now: int) -> bytes:
    records = [
        {"time_unix_nano": now + n, "severity_number": 9, "body": {"string_value": f"number {first + n} of the soak"}}
        for n in range(_RECORDS)
    ]
    return ExportLogsServiceRequest(  # type: ignore[no-any-return]
        resource_logs=[{"resource": _RESOURCE, "scope_logs": [{"log_records": records}]}]
    ).SerializeToString()


def _spans(first: int, now: int) -> bytes:
    spans = [
        {
            "trace_id": (first + n + 1).to_bytes(16, "big"), "span_id": (first + n + 1).to_bytes(8, "big"),
            "name": "soak", "kind": 2, "start_time_unix_nano": now + n, "end_time_unix_nano": now + n + 10**6,
        }
        for n in range(_RECORDS)
    ]  # fmt: skip
    return ExportTraceServiceRequest(  # type: ignore[no-any-return]
        resource_spans=[{"resource": _RESOURCE, "scope_spans": [{"spans": spans}]}]
    ).SerializeToString()


def _metrics(first: int, now: int) -> bytes:
    # A series a record: two samples of one series with one time would be one sample.
    points = [
        {
            "time_unix_nano": now,
            "as_int": first + n,
            "attributes": [{"key": "place", "value": {"string_value": str(n)}}],
        }
        for n in range(_RECORDS)
    ]
    metric = {"name": "soak.number", "gauge": {"data_points": points}}
    return ExportMetricsServiceRequest(  # type: ignore[no-any-return]
        resource_metrics=[{"resource": _RESOURCE, "scope_metrics": [{"metrics": [metric]}]}]
    ).SerializeToString()


_BODIES = {"logs": _logs, "traces": _spans, "metrics": _metrics}
