"""The many byte strings that say the same request: fields in another order, lengths with room, parts broken."""

from __future__ import annotations

import random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

_AS_BYTES = "opentelemetry.proto.common.v1.KeyValue"


def reordered(message: Any, chosen: random.Random, room: bool = False) -> bytes:
    """A message with the fields of each message in any order; with `room`, lengths take up to five bytes.

    Attributes stay as protobuf writes them: who sends them in another form is left to the parser.
    """
    if message.DESCRIPTOR.full_name == _AS_BYTES:
        return bytes(message.SerializeToString())
    pieces = []
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            only = type(message)()
            only.MergeFrom(message)
            for other, _ in message.ListFields():
                if other.number != field.number:
                    only.ClearField(other.name)
            pieces.append(only.SerializeToString())
            continue
        for item in value if field.is_repeated else [value]:
            content = reordered(item, chosen, room)
            pieces.append(
                varint(field.number << 3 | 2) + varint(len(content), room and chosen.choice([0, 4])) + content
            )
    # What is repeated keeps its order.
    numbers = [piece[0] for piece in pieces]
    chosen.shuffle(numbers)
    waiting = {number: [piece for piece in pieces if piece[0] == number] for number in numbers}
    return b"".join(waiting[number].pop(0) for number in numbers)


def varint(number: int, least: int = 0) -> bytes:
    """A number as a varint of at least that many bytes."""
    parts = bytearray()
    while number > 127 or len(parts) + 1 < least:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def broken(body: bytes, chosen: random.Random) -> bytes:
    """A body with some bytes changed, put in, taken out, repeated, or cut off."""
    changed = bytearray(body)
    for _ in range(chosen.randint(1, 3)):
        place = chosen.randrange(len(changed) + 1)
        match chosen.randrange(6):
            case 0 if place < len(changed):
                changed[place] ^= 1 << chosen.randrange(8)
            case 1:
                changed[place:place] = bytes(
                    chosen.choices([0, 1, 2, 8, 10, 18, 127, 128, 255], k=chosen.randint(1, 5))
                )
            case 2:
                del changed[place : place + chosen.randint(1, 20)]
            case 3:
                del changed[place:]
            case 4:
                changed += changed[place : place + 60]
            case _ if place < len(changed):
                changed[place] = chosen.randrange(256)
    return bytes(changed)
