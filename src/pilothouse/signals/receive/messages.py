"""OTLP's request messages as the door uses them.

They are the official messages with three changes, made on copies of the descriptors:

- ArrayValue, KeyValueList, Exemplar and Span.Link have a required field that no client sets. So serialising a request
  fails exactly when it holds one of them, the error names which, and requests without any pay nothing for the check.
- A request has a field of our own, `announcements`, as bytes (see `pilothouse.signals.announcing`).
- Where they are rewritten, AnyValue has a member of our own, `json_value` (15), in which arrays and maps travel to the
  engine. The class that reads what clients send does not know it, so that nobody else can write it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

from pilothouse.signals import announcing

JSON_VALUE = 15
IDENTITY = 2000
_MARKER = 1000
NESTED, EXEMPLAR, LINK = "nested", "is_exemplar", "is_link"
# The messages that are marked, by file, with the name of the marker.
_MARKED = {
    common_pb2: {"ArrayValue": NESTED, "KeyValueList": NESTED},
    metrics_pb2: {"Exemplar": EXEMPLAR},
    trace_pb2: {"Link": LINK},
}
_COLLECTOR = "opentelemetry.proto.collector"
_REQUESTS = {
    "logs": f"{_COLLECTOR}.logs.v1.ExportLogsServiceRequest",
    "metrics": f"{_COLLECTOR}.metrics.v1.ExportMetricsServiceRequest",
    "traces": f"{_COLLECTOR}.trace.v1.ExportTraceServiceRequest",
}
_SERVICES = (logs_service_pb2, metrics_service_pb2, trace_service_pb2)
_FILES = (common_pb2, resource_pb2, logs_pb2, metrics_pb2, trace_pb2, *_SERVICES)


@cache
def request_class(kind: str) -> Any:
    """The message class of a kind's export request (`logs`, `metrics`, `traces`)."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(_REQUESTS[kind]))


@cache
def resource_class() -> Any:
    """The message class of a resource, as requests hold it."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName("opentelemetry.proto.resource.v1.Resource"))


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
        if module in _SERVICES:
            _request(file).field.add(name=announcing.FIELD, number=announcing.NUMBER, type=12, label=3)
        if module is resource_pb2:
            file.message_type[0].field.add(name="identity", number=IDENTITY, type=6, label=1)
        if module in _MARKED:
            _prepare(file, _MARKED[module], with_json_value)
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def _request(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.DescriptorProto:
    return next(message for message in file.message_type if message.name.endswith("Request"))


def _prepare(file: descriptor_pb2.FileDescriptorProto, marked: dict[str, str], with_json_value: bool) -> None:
    # Proto3 knows no required fields; an edition does, and still checks UTF-8 and drops defaults as proto3 does.
    file.syntax = "editions"
    file.edition = descriptor_pb2.EDITION_2023
    features = file.options.features
    features.field_presence = descriptor_pb2.FeatureSet.IMPLICIT
    features.utf8_validation = descriptor_pb2.FeatureSet.VERIFY
    for message in _with_nested(file.message_type):
        _keep_presence(message)
        if marker := marked.get(message.name):
            field = message.field.add(name=marker, number=_MARKER, type=8, label=1)
            field.options.features.field_presence = descriptor_pb2.FeatureSet.LEGACY_REQUIRED
        if message.name == "AnyValue" and with_json_value:
            message.field.add(name="json_value", number=JSON_VALUE, type=9, label=1, oneof_index=0)


def _keep_presence(message: descriptor_pb2.DescriptorProto) -> None:
    """`optional` in proto3 is a oneof of one; an edition says it as presence."""
    for field in message.field:
        if field.proto3_optional:
            field.ClearField("proto3_optional")
            field.ClearField("oneof_index")
            field.options.features.field_presence = descriptor_pb2.FeatureSet.EXPLICIT
    kept = [oneof for number, oneof in enumerate(message.oneof_decl) if _is_used(message, number)]
    del message.oneof_decl[:]
    message.oneof_decl.extend(kept)


def _is_used(message: descriptor_pb2.DescriptorProto, number: int) -> bool:
    return any(field.HasField("oneof_index") and field.oneof_index == number for field in message.field)


def _with_nested(messages: Iterable[descriptor_pb2.DescriptorProto]) -> Iterator[descriptor_pb2.DescriptorProto]:
    for message in messages:
        yield message
        yield from _with_nested(message.nested_type)
