"""Protobuf messages from their text, without generated code.

Python and the engine read the same text, so that a message has one definition. Only what the profiles'
messages need is understood: `message NAME { [repeated] TYPE name = number; ... }`.
"""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_MESSAGE = re.compile(r"message (\w+) \{([^}]*)\}")
_FIELD = re.compile(r"(repeated )?(\w+) (\w+) = (\d+)(?: \[[^\]]*\])?;")
_Field = descriptor_pb2.FieldDescriptorProto
_NUMBERS = ("bool", "double", "uint32", "int32", "uint64", "int64", "fixed32", "fixed64", "sfixed64")
_SCALARS = {kind: getattr(_Field, f"TYPE_{kind.upper()}") for kind in ("string", "bytes", *_NUMBERS)}
_FIXED = {"bool", "fixed32", "fixed64", "sfixed64"}


def message_classes(package: str, text: str, fixed_as_bytes: bool = False) -> dict[str, Any]:
    """The classes of the messages in `text`, by name, in a pool of their own.

    With `fixed_as_bytes`, repeated numbers of a fixed size are given as the bytes of a little-endian array:
    on the wire a packed field is the same as a bytes field, and numpy makes those bytes without a loop.
    """
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, body in _MESSAGE.findall(text):
        message = file.message_type.add(name=name)
        for repeated, kind, field, number in _FIELD.findall(body):
            packed = fixed_as_bytes and repeated and kind in _FIXED
            _add_field(
                message,
                package,
                bool(repeated) and not packed,
                "bytes" if packed else kind,
                field,
                int(number),
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name, _ in _MESSAGE.findall(text)
    }


def _add_field(
    message: descriptor_pb2.DescriptorProto, package: str, repeated: bool, kind: str, name: str, number: int
) -> None:
    field = message.field.add(name=name, number=number)
    field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{package}.{kind}"
