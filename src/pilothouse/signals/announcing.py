"""Announcements: the door tells the engine which resources speak, so that it need not look for them in the records.

A request whose resource is new, or was last told of a minute ago, is journaled with an announcement ahead of it, in a
field of our own (number 2001 of a request; what a client sends there is removed). The engine's statement for the
`resources` table knows that field only and skips over the records, where finding the resources in them cost it a
second reading of the whole segment.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from pilothouse.engine import SegmentStatement
from pilothouse.signals.anyvalue import kind_of, text_of
from pilothouse.signals.identity import RESOURCE_COLUMNS, identity_of

FIELD = "announcements"
NUMBER = 2001
_FIELDS = {
    "identity": ("fixed64", "UInt64"),
    "keys": ("repeated string", "Array(String)"),
    "texts": ("repeated string", "Array(String)"),
    "kinds": ("string", "String"),
    "first": ("fixed64", "UInt64"),
    "last": ("fixed64", "UInt64"),
}
_TYPES = {"fixed64": 6, "string": 9}
_SCHEMA = f"""syntax = "proto3";
message Announcement {{ {" ".join(f"{t} {name} = {n};" for n, (name, (t, _)) in enumerate(_FIELDS.items(), 1))} }}
message Announced {{ repeated Announcement {FIELD} = {NUMBER}; }}
"""
_STRUCTURE = f"{FIELD} Array(Tuple({', '.join(f'{name} {type_}' for name, (_, type_) in _FIELDS.items())}))"


def announcement(resource: Any, first: int, last: int) -> Any:
    """The message for a resource (protobuf) whose records are from `first` to `last`, in nanoseconds."""
    keys = [pair.key for pair in resource.attributes]
    texts = [text_of(pair.value) for pair in resource.attributes]
    kinds = "".join(kind_of(pair.value) for pair in resource.attributes)
    identity = identity_of(zip(keys, texts, strict=True))
    return _message()(identity=identity, keys=keys, texts=texts, kinds=kinds, first=first, last=last)


def announced_sql(signal: str) -> SegmentStatement:
    """The statement that puts the announcements of a segment of this signal into the `resources` table."""
    return SegmentStatement(
        table="resources",
        columns=RESOURCE_COLUMNS,
        select=f"""SELECT a.identity, '{signal}', CAST((a.keys, a.texts), 'Map(String, String)'), a.kinds,
    fromUnixTimestamp64Milli(toInt64(intDiv(a.first, 1000000)), 'UTC'),
    fromUnixTimestamp64Milli(toInt64(intDiv(a.last, 1000000)), 'UTC')
FROM {{segment}} ARRAY JOIN {FIELD} AS a""",
        structure=_STRUCTURE,
        schema=_SCHEMA,
        message="Announced",
    )


@cache
def _message() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="pilothouse/announcing.proto", package="pilothouse", syntax="proto3")
    message = file.message_type.add(name="Announcement")
    for number, (name, (type_, _)) in enumerate(_FIELDS.items(), 1):
        label, _, plain = type_.rpartition(" ")
        message.field.add(name=name, number=number, type=_TYPES[plain], label=3 if label else 1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("pilothouse.Announcement"))
