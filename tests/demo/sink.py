"""A receiver of OTLP (gRPC and HTTP) and of profiles that only keeps what came: the shop is tested against it."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

OTLP = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": ExportTraceServiceRequest,
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": ExportMetricsServiceRequest,
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": ExportLogsServiceRequest,
}
PUSH = "/pyroscope/push.v1.PusherService/Push"


@dataclass(frozen=True)
class Record:
    """One span, metric or log record with the attributes of its resource."""

    resource: dict[str, str]
    body: Any
    over: str


@dataclass(frozen=True)
class Profile:
    """One profile: its series' labels, and the names of all functions in it."""

    labels: dict[str, str]
    functions: frozenset[str]


@dataclass
class Sink:
    """Everything that was received."""

    spans: list[Record] = field(default_factory=list)
    metrics: list[Record] = field(default_factory=list)
    logs: list[Record] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    http: str = ""
    grpc: str = ""

    def otlp(self, path: str, body: bytes, over: str) -> None:
        """Keeps an OTLP request."""
        request = OTLP[path].FromString(body)
        for group in getattr(request, request.DESCRIPTOR.fields[0].name):
            resource = values(group.resource.attributes)
            for scope in getattr(group, group.DESCRIPTOR.fields_by_number[2].name):
                for one in getattr(scope, scope.DESCRIPTOR.fields_by_number[2].name):
                    self._of(path).append(Record(resource, one, over))

    def push(self, body: bytes) -> None:
        """Keeps a push of profiles."""
        for series in PushRequest.FromString(body).series:
            labels = {label.name: label.value for label in series.labels}
            for sample in series.samples:
                profile = Pprof.FromString(sample.raw_profile)
                names = frozenset(profile.string_table[function.name] for function in profile.function)
                self.profiles.append(Profile(labels, names))

    def wait(self, wanted: Callable[[Sink], object], seconds: float = 60) -> None:
        """Until `wanted` is true of what has come."""
        deadline = time.monotonic() + seconds
        while not wanted(self):
            assert time.monotonic() < deadline, "what was wanted did not come"
            time.sleep(0.05)

    def _of(self, path: str) -> list[Record]:
        lowered = path.lower()
        return self.spans if "trace" in lowered else self.metrics if "metric" in lowered else self.logs


def values(attributes: Any) -> dict[str, Any]:
    """Attributes as a dict."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in attributes}


def running_sink() -> Iterator[Sink]:
    """A sink that listens on free ports until the generator is closed."""
    sink = Sink()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(sink))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rpc = grpc.server(ThreadPoolExecutor(4), handlers=[_Anything(sink)])
    sink.http = f"127.0.0.1:{server.server_port}"
    sink.grpc = f"127.0.0.1:{rpc.add_insecure_port('127.0.0.1:0')}"
    rpc.start()
    yield sink
    rpc.stop(0).wait()
    server.shutdown()
    server.server_close()


def _handler(sink: Sink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == PUSH:
                sink.push(body)
            else:
                sink.otlp(self.path, body, "http")
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


class _Anything(grpc.GenericRpcHandler):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def service(self, details: Any) -> Any:
        def export(body: bytes, _: Any) -> bytes:
            self._sink.otlp(details.method, body, "grpc")
            return b""

        return grpc.unary_unary_rpc_method_handler(export)


def _messages(**shapes: dict[str, tuple[int, str]]) -> dict[str, Any]:
    """Message classes from `{message: {field: (number, type)}}`; types: string, bytes, int64, [message]."""
    file = FileDescriptorProto(name="sink.proto", package="sink", syntax="proto3")
    kinds = {"bytes": FieldDescriptorProto.TYPE_BYTES, "string": FieldDescriptorProto.TYPE_STRING}
    kinds["int64"] = FieldDescriptorProto.TYPE_INT64
    for name, fields in shapes.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            repeated, plain = kind.startswith("["), kind.strip("[]")
            added = message.field.add(name=field_name, number=number, label=3 if repeated else 1)
            added.type = kinds.get(plain, FieldDescriptorProto.TYPE_MESSAGE)
            if plain not in kinds:
                added.type_name = f".sink.{plain}"
    pool = DescriptorPool()
    pool.Add(file)
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"sink.{name}")) for name in shapes}


_classes = _messages(
    PushRequest={"series": (1, "[Series]")},
    Series={"labels": (1, "[Label]"), "samples": (2, "[Sample]")},
    Label={"name": (1, "string"), "value": (2, "string")},
    Sample={"raw_profile": (1, "bytes")},
    Pprof={"function": (5, "[Function]"), "string_table": (6, "[string]")},
    Function={"id": (1, "int64"), "name": (2, "int64")},
)
PushRequest, Pprof = _classes["PushRequest"], _classes["Pprof"]
