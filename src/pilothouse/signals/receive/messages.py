"""OTLP's request messages as the door uses them.

They are the official messages with two changes, made on copies of the descriptors:

- ArrayValue and KeyValueList have a required field that no client sets. So serialising a request fails exactly when
  it holds an array or a map that was not rewritten yet, and the check costs nothing on requests without any.
- Where they are rewritten, AnyValue has a member of our own, `json_value` (15), in which arrays and maps travel to the
  engine. The class that reads what clients send does not know it, so that nobody else can write it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

JSON_VALUE = 15
_NESTED = 1000
_COLLECTOR = "opentelemetry.proto.collector"
_REQUESTS = {
    "logs": f"{_COLLECTOR}.logs.v1.ExportLogsServiceRequest",
    "metrics": f"{_COLLECTOR}.metrics.v1.ExportMetricsServiceRequest",
    "traces": f"{_COLLECTOR}.trace.v1.ExportTraceServiceRequest",
}
_FILES = (
    common_pb2, resource_pb2, logs_pb2, metrics_pb2, trace_pb2,
    logs_service_pb2, metrics_service_pb2, trace_service_pb2,
)  # fmt: skip


@cache
def request_class(kind: str) -> Any:
    """The message class of a kind's export request (`logs`, `metrics`, `traces`)."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(_REQUESTS[kind]))


def rewritable(request: Any) -> Any:
    """A copy of a request in which an AnyValue can hold `json_value`."""
    return _rewritable_class(request.DESCRIPTOR.full_name).FromString(request.SerializePartialToString())


@cache
def _rewritable_class(name: str) -> Any:
    return message_factory.GetMessageClass(_pool(with_json_value=True).FindMessageTypeByName(name))


@cache
def _pool(with_json_value: bool = False) -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for module in _FILES:
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        if module is common_pb2:
            _prepare(file, with_json_value)
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def _prepare(file: descriptor_pb2.FileDescriptorProto, with_json_value: bool) -> None:
    # Proto3 knows no required fields; an edition does, and still checks UTF-8 and drops defaults as proto3 does.
    file.syntax = "editions"
    file.edition = descriptor_pb2.EDITION_2023
    features = file.options.features
    features.field_presence = descriptor_pb2.FeatureSet.IMPLICIT
    features.utf8_validation = descriptor_pb2.FeatureSet.VERIFY
    for message in file.message_type:
        if message.name in ("ArrayValue", "KeyValueList"):
            nested = message.field.add(name="nested", number=_NESTED, type=8, label=1)
            nested.options.features.field_presence = descriptor_pb2.FeatureSet.LEGACY_REQUIRED
        if message.name == "AnyValue" and with_json_value:
            message.field.add(name="json_value", number=JSON_VALUE, type=9, label=1, oneof_index=0)
