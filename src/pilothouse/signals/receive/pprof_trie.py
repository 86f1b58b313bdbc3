"""Pyroscope's `trie` and `tree` (pkg/og/structs/transporttrie and pkg/og/storage/tree of its sources).

Both list nodes depth first: the length of a name and the name, a value, how many children follow. In a trie the names
on the way to a node make up a folded stack between them (`main;se`, `rve`); in a tree each is a function.
"""

from __future__ import annotations

from collections.abc import Iterator

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.model import Profile, SampleType
from pilothouse.signals.receive.pprof_building import build_profile
from pilothouse.signals.receive.pprof_folded import named_frame
from pilothouse.signals.receive.pprof_limits import ProfileLimits, inflated
from pilothouse.signals.receive.pprof_reading import Sender

_LONGEST_VARINT = 10


def read_trie(
    body: bytes, whole_names: bool, kind: SampleType, factor: int, sender: Sender, limits: ProfileLimits
) -> Profile:
    """The profile in a trie, or with `whole_names` in a tree. Values are multiplied by `factor`."""
    summed: dict[str, int] = {}
    for stack, value in _stacks(inflated(body, limits), b";" if whole_names else b"", limits):
        try:
            name = stack.decode()
        except UnicodeDecodeError as error:
            raise BadRequestError(f"body: a name is not UTF-8 at byte {error.start}", "body") from None
        summed[name] = summed.get(name, 0) + value * factor
    stacks = [tuple(map(named_frame, reversed(stack.split(";")))) for stack in summed]
    return build_profile(stacks, list(summed.values()), kind, sender, limits)


def _stacks(content: bytes, between: bytes, limits: ProfileLimits) -> Iterator[tuple[bytes, int]]:
    """Folded stacks with their values, of which those of nothing are left out."""
    place, nodes, prefix = 0, 0, bytearray()
    # Written out, a small trie may be any number of long stacks.
    room = 8 * limits.unpacked_bytes
    # For each open node: how many of its children are to come, and how long the prefix is without it.
    open_nodes: list[list[int]] = [[1, 0]]
    while open_nodes:
        if not open_nodes[-1][0]:
            del prefix[open_nodes.pop()[1] :]
            continue
        open_nodes[-1][0] -= 1
        nodes += 1
        length, place = _varint(content, place)
        name, place = content[place : place + length], place + length
        if place > len(content):
            raise BadRequestError(f"body: ends within the name of node {nodes}", "body")
        value, place = _varint(content, place)
        children, place = _varint(content, place)
        before = len(prefix)
        prefix += (between if prefix and name else b"") + name
        room -= len(prefix) if value else 0
        if nodes > limits.records or room < 0:
            raise BadRequestError(f"body: more than {limits.records} nodes, or stacks too long to write out", "body")
        if value and prefix:
            yield bytes(prefix).strip(b";"), value
        open_nodes.append([children, before])
    if place < len(content):
        raise BadRequestError(f"body: {len(content) - place} bytes after the last node", "body")


def _varint(content: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    for at in range(place, min(place + _LONGEST_VARINT, len(content))):
        number |= (content[at] & 0x7F) << shift
        shift += 7
        if content[at] < 0x80:
            if number >= 2**63:
                break
            return number, at + 1
    raise BadRequestError(f"body: no number at byte {place}: cut short, or not a trie", "body")
