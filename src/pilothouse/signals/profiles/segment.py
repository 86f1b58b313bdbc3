"""The journal's message for profiles: what the engine can unnest quickly.

pprof keeps a dictionary in each message, so concatenated messages cannot be read as one. Here stacks go by
their hashes, in packed arrays; a stack's frames go once, when this process first sees the stack in a month.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from pilothouse.signals.anyvalue import SCHEMA as SHARED
from pilothouse.signals.profiles.hashing import stack_hashes
from pilothouse.signals.profiles.messages import message_classes
from pilothouse.signals.profiles.model import Hashes, Numbers, Profile, Stacks

SCHEMA = f"""{SHARED}
message Type {{
  string type = 1; string unit = 2; int64 period = 3; string period_type = 4; string period_unit = 5;
  uint32 samples = 6; int64 total = 7;
}}
message Samples {{
  string type = 1; repeated KeyValue attributes = 2; repeated fixed64 stacks = 3; repeated sfixed64 values = 4;
}}
message Profile {{
  Resource resource = 1; fixed64 time_unix_nano = 2; uint64 duration_nano = 3; repeated KeyValue attributes = 4;
  repeated Type types = 5; repeated Samples samples = 6;
}}
message Stack {{
  fixed64 stack = 1; uint32 month = 2; repeated string functions = 3; repeated string files = 4;
  repeated fixed32 lines = 5; repeated string mappings = 6; repeated bool inlined = 7;
}}
message Profiles {{ repeated Profile profiles = 1; repeated Stack stacks = 2; }}
"""
"""The .proto text; `month` is the first day of the profile's month, in days since the epoch."""

_CLASSES = message_classes("pilothouse.profiles", SCHEMA, fixed_as_bytes=True)
Profiles = _CLASSES["Profiles"]
_KEPT = 100_000


class KnownStacks:
    """Which stacks this process has already put into the journal, so that they need not go again.

    At most twice `_KEPT` are remembered; forgetting one only means that it is stored again, and merged away.
    """

    def __init__(self) -> None:
        self._young: set[tuple[int, int]] = set()
        self._old: set[tuple[int, int]] = set()

    def unknown(self, stacks: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
        """Those of these (month, hash) that were not remembered."""
        return set(stacks) - self._young - self._old

    def remember(self, stacks: set[tuple[int, int]]) -> None:
        """Call this when they are on disk, not before."""
        self._young |= stacks
        if len(self._young) > _KEPT:
            self._young, self._old = set(), self._young


def samples_payload(profiles: Sequence[Profile]) -> bytes:
    """The journal's bytes of the profiles' values. The same profiles always give the same bytes."""
    message = Profiles()
    for profile in profiles:
        _write_profile(message.profiles.add(), profile, stack_hashes(profile.stacks))
    payload: bytes = message.SerializeToString(deterministic=True)
    return payload


def stacks_payload(profiles: Sequence[Profile], known: KnownStacks) -> tuple[bytes, set[tuple[int, int]]]:
    """The journal's bytes of the stacks that are not known yet, and which these are."""
    message = Profiles()
    written: set[tuple[int, int]] = set()
    for profile in profiles:
        month = _month(profile.time)
        place_of = {(month, name): place for place, name in enumerate(stack_hashes(profile.stacks).tolist())}
        new = known.unknown(place_of) - written
        _write_stacks(message, profile.stacks, {name[1]: place_of[name] for name in sorted(new)}, month)
        written |= new
    return message.SerializeToString(), written


def totals(profile: Profile) -> list[int]:
    """The exact sum of each type's values."""
    return [sum(column.tolist()) for column in profile.values.T]


def merged(hashes: Hashes, values: Numbers) -> tuple[Hashes, Numbers]:
    """The distinct hashes with the sums of their values; what sums to nothing is left out."""
    distinct, place = np.unique(hashes, return_inverse=True)
    sums = np.zeros(len(distinct), np.int64)
    np.add.at(sums, place, values)
    return distinct[sums != 0], sums[sums != 0]


def _write_profile(message: Any, profile: Profile, hashes: Hashes) -> None:
    _write_attributes(message.resource.attributes, profile.resource)
    _write_attributes(message.attributes, profile.attributes)
    message.time_unix_nano, message.duration_nano = profile.time, profile.duration
    of_row = hashes[profile.stack_of]
    rows_of_labels = _rows_by(profile.labels_of, len(profile.label_sets))
    for column, (kind, total) in enumerate(zip(profile.types, totals(profile), strict=True)):
        count = 0
        for labels, rows in zip(profile.label_sets, rows_of_labels, strict=True):
            stacks, values = merged(of_row[rows], profile.values[rows, column])
            if len(stacks):
                _write_samples(message.samples.add(type=kind.type), labels, stacks, values)
                count += len(stacks)
        message.types.add(
            type=kind.type, unit=kind.unit, period=kind.period, period_type=kind.period_type,
            period_unit=kind.period_unit, samples=count, total=total,
        )  # fmt: skip


def _write_samples(message: Any, labels: Mapping[str, str], stacks: Hashes, values: Numbers) -> None:
    _write_attributes(message.attributes, labels)
    message.stacks = stacks.astype("<u8").tobytes()
    message.values = values.astype("<i8").tobytes()


def _write_stacks(message: Any, stacks: Stacks, places: Mapping[int, int], month: int) -> None:
    frames, offsets = stacks.frames, stacks.offsets.tolist()
    for name, place in places.items():
        at = stacks.places[offsets[place] : offsets[place + 1]]
        here = at.tolist()
        message.stacks.add(
            stack=name, month=month,
            functions=[frames.functions[frame] for frame in here], files=[frames.files[frame] for frame in here],
            lines=frames.lines[at].astype("<u4").tobytes(),
            mappings=[frames.mappings[frame] for frame in here], inlined=frames.inlined[at].tobytes(),
        )  # fmt: skip


def _write_attributes(attributes: Any, texts: Mapping[str, str]) -> None:
    for key, text in sorted(texts.items()):
        attributes.add(key=key, value=b"\x0a" + _length_delimited(text.encode()))


def _length_delimited(content: bytes) -> bytes:
    size, left = bytearray(), len(content)
    while left > 0x7F:
        size.append(left & 0x7F | 0x80)
        left >>= 7
    size.append(left)
    return bytes(size) + content


def _rows_by(codes: Numbers, count: int) -> list[Numbers]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.searchsorted(codes[order], np.arange(1, count)))


def _month(nanoseconds: int) -> int:
    day = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).date()
    return day.replace(day=1).toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
