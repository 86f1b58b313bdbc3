"""Protobuf without generated code: message classes from the text of a .proto, and the wire format by hand."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_MESSAGE = re.compile(r"message (\w+) \{([^}]*)\}")
_FIELD = re.compile(r"(repeated |optional )?(\w+) (\w+) = (\d+);")
_Field = descriptor_pb2.FieldDescriptorProto


def message_classes(package: str, text: str, syntax: str = "proto3") -> dict[str, Any]:
    """A class for each message of the text, which holds flat messages of plain fields (enumerations as int32)."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax=syntax)
    for name, body in _MESSAGE.findall(text):
        message = file.message_type.add(name=name)
        for label, kind, field, number in _FIELD.findall(body):
            added = message.field.add(name=field, number=int(number))
            added.label = _Field.LABEL_REPEATED if label == "repeated " else _Field.LABEL_OPTIONAL
            known = getattr(_Field, f"TYPE_{kind.upper()}", None)
            if known is None:
                added.type, added.type_name = _Field.TYPE_MESSAGE, f".{package}.{kind}"
            else:
                added.type = known
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name, _ in _MESSAGE.findall(text)
    }


def field(tag: int, content: bytes) -> bytes:
    """A field of bytes; `tag` is its number and kind as the wire has it."""
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    return bytes((tag,)) + varint(size) + content


def varint(number: int) -> bytes:
    """A whole number, a negative one as 64 bits."""
    number &= 0xFFFFFFFFFFFFFFFF
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)
