"""Loki's PushRequest as protobuf knows it (logproto.proto: the field numbers are the protocol)."""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_BYTES, _STRING, _INT64, _INT32, _MESSAGE = 12, 9, 3, 5, 11
_MESSAGES = {
    "Timestamp": [("seconds", 1, _INT64, ""), ("nanos", 2, _INT32, "")],
    "Pair": [("name", 1, _BYTES, ""), ("value", 2, _BYTES, "")],
    "Entry": [
        ("timestamp", 1, _MESSAGE, "Timestamp"),
        ("line", 2, _BYTES, ""),
        ("metadata", 3, _MESSAGE, "*Pair"),
    ],
    "Stream": [("labels", 1, _STRING, ""), ("entries", 2, _MESSAGE, "*Entry")],
    "Push": [("streams", 1, _MESSAGE, "*Stream")],
}


@cache
def push_class() -> Any:
    """The message class of a push. Texts are bytes: a line that is not UTF-8 must not refuse all others."""
    file = descriptor_pb2.FileDescriptorProto(name="pilothouse/loki.proto", package="pilothouse.loki", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            made = message.field.add(name=field, number=number, type=kind, label=3 if of.startswith("*") else 1)
            if of:
                made.type_name = f".pilothouse.loki.{of.removeprefix('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("pilothouse.loki.Push"))
