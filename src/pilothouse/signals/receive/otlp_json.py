"""OTLP's JSON form, made ready for protobuf's JSON mapping.

The two differ in ids, which OTLP writes in hexadecimal and the mapping expects in Base64 (OTLP specification, JSON
Protobuf Encoding). And the mapping, when it is to ignore unknown fields, takes a text or a list where an object is
wanted for an object without known fields: what was meant would be lost, so it is refused here.
"""

from __future__ import annotations

import base64
import binascii
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from pilothouse.signals.errors import BadRequestError

_HEX_IDS = frozenset({"trace_id", "span_id", "parent_span_id"})
# The mapping takes Base64 in both its alphabets, and passes over what is in neither.
_STANDARD = str.maketrans("-_", "+/")


def prepared(content: Any, message: Descriptor, name: str = "the body") -> dict[str, Any]:
    """`content`, as `json.loads` gives it, for `json_format.ParseDict` into `message`; what is unknown is left out.

    Raises `BadRequestError` that names the field.
    """
    if not isinstance(content, dict):
        raise BadRequestError(f"{name} is not a JSON object", name)
    known = _fields(message)
    return {key: _value(value, known[key]) for key, value in content.items() if key in known and value is not None}


def _value(value: Any, field: FieldDescriptor) -> Any:
    if not field.is_repeated:
        return _one(value, field)
    if not isinstance(value, list):
        raise BadRequestError(f"{field.json_name} is not a JSON array", field.json_name)
    return [_one(item, field) for item in value]


def _one(value: Any, field: FieldDescriptor) -> Any:
    if field.message_type:
        return prepared(value, field.message_type, field.json_name)
    return _base64(value, field) if field.type == FieldDescriptor.TYPE_BYTES else value


def _base64(value: Any, field: FieldDescriptor) -> str:
    is_id = field.name in _HEX_IDS
    try:
        if is_id:
            return base64.b64encode(binascii.unhexlify(value)).decode("ascii")
        digits: str = value.rstrip("=").translate(_STANDARD)
        base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
        return digits
    except (ValueError, TypeError, AttributeError):
        form = "hexadecimal" if is_id else "Base64"
        raise BadRequestError(f"{field.json_name}: {str(value)[:40]!r} is not {form}", field.json_name) from None


@cache
def _fields(message: Descriptor) -> dict[str, FieldDescriptor]:
    """By both names of a field; what no client may set has none."""
    return {name: field for field in message.fields if not field.is_required for name in (field.name, field.json_name)}
