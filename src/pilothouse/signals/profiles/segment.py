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
from pilothouse.signals.identity import SERVICE
from pilothouse.signals.profiles.cohorts import cohort_of
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
  repeated Type types = 5; repeated Samples samples = 6; fixed64 cohort = 7;
}}
message Stack {{
  fixed64 stack = 1; uint32 month = 2; repeated string functions = 3; repeated string files = 4;
  repeated fixed32 lines = 5; repeated string mappings = 6; repeated bool inlined = 7; string service = 8;
}}
message Profiles {{ repeated Profile profiles = 1; repeated Stack stacks = 2; }}
"""
"""The .proto text; `month` is the first day of the profile's month, in days since the epoch."""

_CLASSES = message_classes("pilothouse.profiles", SCHEMA, fixed_as_bytes=True)
Profiles = _CLASSES["Profiles"]
_KEPT = 100_000
StackKey = tuple[int, str, int]
"""A stack's month, service and hash."""


class KnownStacks:
    """Which stacks this process has already put into the journal, so that they need not go again.

    At most twice `_KEPT` are remembered; forgetting one only means that it is stored again, and merged away.
    """

    def __init__(self) -> None:
        self._young: set[StackKey] = set()
        self._old: set[StackKey] = set()

    def unknown(self, stacks: Iterable[StackKey]) -> set[StackKey]:
        """Those of these that were not remembered."""
        return set(stacks) - self._young - self._old

    def remember(self, stacks: set[StackKey]) -> None:
        """Call this when they are on disk, not before."""
        self._young |= stacks
        if len(self._young) > _KEPT:
            self._young, self._old = set(), self._young


def samples_payload(profiles: Sequence[Profile], hashes: Sequence[Hashes] | None = None) -> bytes:
    """The journal's bytes of the profiles' values; `hashes` are their stacks' names if they are known already.

    The same profiles always give the same bytes.
    """
    message = Profiles()
    for profile, names in zip(profiles, hashes or names_of_stacks(profiles), strict=True):
        _write_profile(message.profiles.add(), profile, names)
    payload: bytes = message.SerializeToString(deterministic=True)
    return payload


def stacks_payload(
    profiles: Sequence[Profile], known: KnownStacks, hashes: Sequence[Hashes] | None = None
) -> tuple[bytes, set[StackKey]]:
    """The journal's bytes of the stacks that are not known yet, and which these are."""
    message = Profiles()
    written: set[StackKey] = set()
    for profile, names in zip(profiles, hashes or names_of_stacks(profiles), strict=True):
        month, service = _month(profile.time), profile.resource.get(SERVICE, "")
        place_of = {(month, service, name): place for place, name in enumerate(names.tolist())}
        new = known.unknown(place_of) - written
        for key in sorted(new):
            _write_stack(message.stacks.add(month=month, service=service, stack=key[2]), profile.stacks, place_of[key])
        written |= new
    return message.SerializeToString(), written


def names_of_stacks(profiles: Sequence[Profile]) -> list[Hashes]:
    """The hashes of each profile's stacks: they take a good part of the work, so compute them once."""
    return [stack_hashes(profile.stacks) for profile in profiles]


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
    message.cohort = cohort_of(profile.resource)
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


def _write_stack(message: Any, stacks: Stacks, place: int) -> None:
    frames = stacks.frames
    at = stacks.places[stacks.offsets[place] : stacks.offsets[place + 1]]
    here = at.tolist()
    message.functions.extend([frames.functions[frame] for frame in here])
    message.files.extend([frames.files[frame] for frame in here])
    message.mappings.extend([frames.mappings[frame] for frame in here])
    message.lines, message.inlined = frames.lines[at].astype("<u4").tobytes(), frames.inlined[at].tobytes()


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
