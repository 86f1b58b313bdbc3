"""Arrays and maps in attribute values become JSON, so that the engine reads every value in one way."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from pilothouse.signals.anyvalue import to_json

_ANY_VALUE = "opentelemetry.proto.common.v1.AnyValue"


def rewrite(message: Any) -> None:
    """Replace each array or map below `message` by its JSON text, however deep it is."""
    if message.DESCRIPTOR.full_name == _ANY_VALUE:
        if message.WhichOneof("value") in ("array_value", "kvlist_value"):
            message.json_value = to_json(message)
        return
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        if field.is_repeated:
            for item in value:
                rewrite(item)
        else:
            rewrite(value)
