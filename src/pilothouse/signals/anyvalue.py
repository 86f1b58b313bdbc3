"""OTLP's AnyValue: as the engine reads it from a segment, and as rows keep it.

A row keeps each value as text and its kind as one letter: `s` string, `i` integer, `d` double, `b` bool, `x` bytes
(Base64), `j` JSON (an array or a map), `n` nothing. In a segment an AnyValue is declared as `bytes`: reading one
column of bytes and looking at its first byte costs the engine half of what five nullable columns cost it, and unset
still differs from zero. The door writes values in protobuf's canonical form, so that the first byte is the tag of the
one member that is set, and writes arrays and maps as JSON into `json_value`, a member of our own (number 15).
"""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

SCHEMA = """
message KeyValue { string key = 1; bytes value = 2; }
message Resource { repeated KeyValue attributes = 1; fixed64 identity = 2000; }
message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
"""
"""The .proto text of the parts that all signals share; `identity` is the door's, see `receive/checking.py`."""

ATTRIBUTES = "Array(Tuple(key LowCardinality(String), value String))"
RESOURCE = "Tuple(attributes Array(Tuple(key String, value String)))"
IDENTITY = "Tuple(identity UInt64)"
SCOPE = f"Tuple(name LowCardinality(String), version LowCardinality(String), attributes {ATTRIBUTES})"
"""Keys and names are read into dictionaries at once: what a column holds so needs no look-up of each row later."""

_TAGS = {"s": 10, "b": 16, "i": 24, "d": 33, "x": 58, "j": 122}


def records_sql(kind: str, records: str, record: str) -> str:
    """SQL after FROM for each record of a segment under the name `record`, with its `identity` and `scope`.

    `kind` and `records` are OTLP's names of it (`logs`, `log_records`).
    """
    return f"""(
        SELECT identity, said.{records} AS records, said.scope AS scope
        FROM (
            SELECT speaker.resource.identity AS identity, speaker.scope_{kind} AS scopes
            FROM {{segment}} ARRAY JOIN resource_{kind} AS speaker
        ) ARRAY JOIN scopes AS said
    ) ARRAY JOIN records AS {record}"""


def text_sql(value: str) -> str:
    """SQL for the text of the AnyValue bytes in the expression `value`.

    Kept short: the engine analyses it anew for every segment, which takes longer than a small segment's rows. So a
    statement does best to gather what it can into one array and to call this once; two calls must not share a scope.
    """
    return (
        f"multiIf((ascii({value}) AS tag) IN ({_TAGS['s']}, {_TAGS['j']}), {_payload(value)} AS payload, "
        f"tag = {_TAGS['i']}, {_integer(value)}, "
        f"tag = {_TAGS['b']}, if(endsWith({value}, '\\x01'), 'true', 'false'), "
        f"tag = {_TAGS['d']}, toString(reinterpretAsFloat64(substring({value}, 2))), "
        f"tag = {_TAGS['x']}, base64Encode(payload), '')"
    )


def texts_sql(values: str) -> str:
    """SQL for the texts of an array of AnyValue bytes."""
    return f"arrayMap(value -> {text_sql('value')}, {values})"


def letters_sql(values: str) -> str:
    """SQL for the kinds' letters of an array of AnyValue bytes, as one string."""
    tags, letters = ", ".join(map(str, _TAGS.values())), ", ".join(f"'{letter}'" for letter in _TAGS)
    return f"arrayStringConcat(arrayMap(value -> transform(ascii(value), [{tags}], [{letters}], 'n'), {values}))"


def map_sql(attributes: str) -> str:
    """SQL for `Map(LowCardinality(String), String)` from an array of key and AnyValue bytes."""
    keys = f"CAST({attributes}.key, 'Array(LowCardinality(String))')"
    return f"mapFromArrays({keys}, {texts_sql(f'{attributes}.value')})"


def kinds_sql(attributes: str) -> str:
    """SQL for the kinds' letters, in the order of the map."""
    return letters_sql(f"{attributes}.value")


def to_json(value: Any) -> str:
    """The JSON text of an array or map (a protobuf AnyValue, as deep as it may be)."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def text_of(value: Any) -> str:
    """The text that a row keeps of a protobuf AnyValue: what `text_sql` makes of its bytes."""
    match value.WhichOneof("value"):
        case None:
            return ""
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode("ascii")
        case "double_value":
            return double_text(value.double_value)
        case "array_value" | "kvlist_value":
            return to_json(value)
        case member:
            return str(getattr(value, member))


_LETTERS = {
    "string_value": "s", "int_value": "i", "double_value": "d", "bool_value": "b", "bytes_value": "x",
    "array_value": "j", "kvlist_value": "j", None: "n",
}  # fmt: skip


def kind_of(value: Any) -> str:
    """The letter that a row keeps of a protobuf AnyValue: what `letters_sql` makes of its bytes."""
    return _LETTERS.get(value.WhichOneof("value"), "n")


def double_text(number: float) -> str:
    """A double as ClickHouse writes it: the shortest digits, plain from 1e-6 to below 1e21."""
    if not _finite(number):
        return str(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text, point = "".join(map(str, digits)), len(digits) + exponent
    if not -6 < point <= 21 and number:
        mantissa = f"{text[0]}.{text[1:]}" if len(text) > 1 else text
        plain = f"{mantissa}e{point - 1}"
    elif point <= 0:
        plain = f"0.{'0' * -point}{text}" if number else "0"
    else:
        plain = f"{text[:point]}.{text[point:]}" if point < len(text) else text.ljust(point, "0")
    return f"-{plain}" if sign else plain


def from_text(text: str, kind: str) -> Any:
    """The Python value of a stored text; bytes come back as bytes, JSON as lists and dicts."""
    match kind:
        case "i":
            return int(text)
        case "d":
            return float(text)
        case "b":
            return text == "true"
        case "x":
            return base64.b64decode(text)
        case "j":
            return json.loads(text)
        case "n":
            return None
        case _:
            return text


def _payload(value: str) -> str:
    """What follows the tag and the length, whose size the whole length tells (a request is under 256 MB)."""
    return f"substring({value}, 3 + (length({value}) > 129) + (length({value}) > 16386) + (length({value}) > 2097155))"


def _integer(value: str) -> str:
    """A varint as a signed number: seven bits a byte, the lowest first."""
    byte = f"ascii(substring({value}, 2 + place, 1))"
    bits = f"arraySum(place -> bitShiftLeft(toUInt64(bitAnd({byte}, 127)), 7 * place), range(length({value}) - 1))"
    return f"toString(reinterpretAsInt64({bits}))"


def _plain(value: Any) -> Any:
    match value.WhichOneof("value"):
        case "array_value":
            return [_plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode("ascii")
        case "double_value":
            return value.double_value if _finite(value.double_value) else str(value.double_value)
        case None:
            return None
        case member:
            return getattr(value, member)


def _finite(number: float) -> bool:
    return number - number == 0
