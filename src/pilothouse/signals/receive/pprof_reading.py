"""pprof's bytes to a `Profile`: checked, and turned into columns without a Python loop over samples."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.model import Numbers, Profile, SampleType, Stacks
from pilothouse.signals.profiles.pprof import PprofProfile
from pilothouse.signals.receive.pprof_limits import ProfileLimits, inflated
from pilothouse.signals.receive.pprof_tables import Tables, lengths_of, offsets_of, places_of, ranges_of
from pilothouse.signals.receive.pprof_types import type_of, unit_of

_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Sender:
    """What the request said about its profile beside the bytes; times in nanoseconds, zero when not said."""

    resource: dict[str, str]
    attributes: dict[str, str]
    family: str = ""
    start: int = 0
    end: int = 0

    @property
    def duration(self) -> int:
        """From start to end, if both were said."""
        return max(self.end - self.start, 0) if self.start and self.end else 0


def read_pprof(body: bytes, sender: Sender, limits: ProfileLimits, field: str = "profile") -> Profile:
    """The profile in a pprof message, gzipped or not; raises `BadRequestError` that names the wrong place."""
    try:
        message = PprofProfile.FromString(inflated(body, limits, field))
    except DecodeError:
        raise BadRequestError(f"{field}: this is not a pprof message", field) from None
    try:
        return _Reading(message, sender, limits).profile()
    except BadRequestError as error:
        raise BadRequestError(f"{field}: {error}", field) from None


class _Reading:
    """One message being read."""

    def __init__(self, message: Any, sender: Sender, limits: ProfileLimits) -> None:
        self._message, self._sender, self._limits = message, sender, limits
        self._tables = Tables(message, limits)

    def profile(self) -> Profile:
        types, factors = self._types()
        values = self._values(len(types), factors)
        labels_of, label_sets = self._labels()
        begin, duration = self._times()
        return Profile(
            resource=self._sender.resource, time=begin, duration=duration, types=types, stacks=self._stacks(),
            stack_of=np.arange(len(self._message.sample)), labels_of=labels_of, label_sets=label_sets, values=values,
            attributes=self._attributes(),
        )  # fmt: skip

    def _types(self) -> tuple[tuple[SampleType, ...], list[int]]:
        found = self._message.sample_type
        if not 0 < len(found) <= self._limits.types:
            raise BadRequestError(f"sample_type: {len(found)} of them, wanted 1 to {self._limits.types}")
        named = self._message.period_type
        period_type, period_unit = (
            self._tables.text(named.type, "period_type.type"),
            self._tables.text(named.unit, "period_type.unit"),
        )
        types, factors = [], []
        for place, kind in enumerate(found):
            where = f"sample_type[{place}]"
            unit, factor = unit_of(self._tables.text(kind.unit, f"{where}.unit"))
            name = type_of(self._tables.text(kind.type, f"{where}.type"), self._sender.family)
            types.append(SampleType(name, unit, self._message.period, period_type, period_unit))
            factors.append(factor)
        if len({kind.type for kind in types}) < len(types):
            raise BadRequestError(f"sample_type: two of the same name in {', '.join(kind.type for kind in types)}")
        return tuple(types), factors

    def _values(self, width: int, factors: list[int]) -> Numbers:
        lists = list(map(attrgetter("value"), self._message.sample))
        lengths = lengths_of(lists)
        if (wrong := np.flatnonzero(lengths != width)).size:
            place = int(wrong[0])
            raise BadRequestError(f"sample[{place}].value: {lengths[place]} values for {width} sample types")
        values = np.fromiter(chain.from_iterable(lists), np.int64, len(lists) * width).reshape(-1, width)
        if (wrong := np.flatnonzero((values < 0).any(axis=1))).size:
            raise BadRequestError(f"sample[{int(wrong[0])}].value: negative: {values[wrong[0]].min()}")
        if len(values) and (values.astype(float).sum(axis=0) * factors).max() > _INT64_MAX:
            raise BadRequestError("sample: the values add up to more than 64 bits hold")
        return values * np.array(factors, np.int64)

    def _labels(self) -> tuple[Numbers, list[dict[str, str]]]:
        """For each sample the place of its labels among the distinct sets of them."""
        lists = list(map(attrgetter("label"), self._message.sample))
        places = np.zeros(len(lists), np.int64)
        known: dict[tuple[tuple[int, int, int, int], ...], int] = {(): 0}
        for sample in np.flatnonzero(lengths_of(lists)).tolist():
            key = tuple((one.key, one.str, one.num, one.num_unit) for one in lists[sample])
            places[sample] = known.setdefault(key, len(known))
        return places, [dict(self._label(*one) for one in key) for key in known]

    def _label(self, key: int, text: int, number: int, unit: int) -> tuple[str, str]:
        name = self._tables.text(key, "sample.label.key")
        if not name:
            raise BadRequestError("sample.label.key: a label has no name")
        self._tables.text(unit, "sample.label.num_unit")
        return name, self._tables.text(text, f"sample.label {name!r}") if text else str(number)

    def _times(self) -> tuple[int, int]:
        message, sender = self._message, self._sender
        if message.duration_nanos < 0:
            raise BadRequestError(f"duration_nanos: negative: {message.duration_nanos}")
        duration = message.duration_nanos or sender.duration
        begin = message.time_nanos or sender.start or time.time_ns() - duration
        return checked_time(begin, self._limits, "time_nanos"), duration

    def _attributes(self) -> dict[str, str]:
        known = dict(self._sender.attributes)
        if self._message.mapping:
            build = self._tables.text(self._message.mapping[0].build_id, "mapping[0].build_id")
            known |= {"build_id": build} if build else {}
        return known

    def _stacks(self) -> Stacks:
        frames, first, count = self._tables.frames()
        lists = list(map(attrgetter("location_id"), self._message.sample))
        lengths = lengths_of(lists)
        if lengths.sum() > self._limits.frames:
            raise BadRequestError(f"sample.location_id: more than {self._limits.frames} of them")
        ids = np.fromiter(chain.from_iterable(lists), np.uint64, int(lengths.sum()))
        of_sample = np.repeat(np.arange(len(lists)), lengths)
        located = places_of(self._tables.ids("location"), ids, lambda at: f"sample[{of_sample[at]}].location_id")
        counts = count[located]
        if counts.sum() > self._limits.frames:
            raise BadRequestError(f"sample.location_id: more than {self._limits.frames} frames, inlined ones counted")
        offsets = offsets_of(np.bincount(of_sample, weights=counts, minlength=len(lists)).astype(np.int64))
        return Stacks(frames, ranges_of(first[located], counts), offsets)


def checked_time(nanoseconds: int, limits: ProfileLimits, field: str) -> int:
    """The time, if it is near enough to now to be kept."""
    ago = (time.time_ns() - nanoseconds) / 1_000_000_000
    if ago > limits.past_seconds:
        days = f"{limits.past_seconds / 86400:g}"
        raise BadRequestError(f"{field}: {nanoseconds} (Unix ns) is more than {days} days ago", field)
    if -ago > limits.future_seconds:
        raise BadRequestError(f"{field}: {nanoseconds} (Unix ns) is in the future", field)
    return nanoseconds
