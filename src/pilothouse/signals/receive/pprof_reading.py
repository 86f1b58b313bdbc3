"""pprof's bytes to a `Profile`: checked, and turned into columns without a Python loop over samples."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.model import Frames, Hashes, Numbers, Profile, SampleType, Stacks
from pilothouse.signals.profiles.pprof import PprofProfile
from pilothouse.signals.receive.pprof_limits import ProfileLimits, inflated
from pilothouse.signals.receive.pprof_types import type_of, unit_of

_INT64_MAX = 2**63 - 1
_LINE_MAX = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Sender:
    """What the request said about its profile beside the bytes; times in nanoseconds, zero when not said."""

    resource: dict[str, str]
    attributes: dict[str, str]
    family: str = ""
    start: int = 0
    end: int = 0


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
        for name in ("sample", "location", "function", "mapping", "string_table"):
            if len(getattr(message, name)) > limits.records:
                raise BadRequestError(f"{name}: more than {limits.records} of them")
        self._strings = _strings(message.string_table)

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
            self._text(named.type, "period_type.type"),
            self._text(named.unit, "period_type.unit"),
        )
        types, factors = [], []
        for place, kind in enumerate(found):
            where = f"sample_type[{place}]"
            unit, factor = unit_of(self._text(kind.unit, f"{where}.unit"))
            name = type_of(self._text(kind.type, f"{where}.type"), self._sender.family)
            types.append(SampleType(name, unit, self._message.period, period_type, period_unit))
            factors.append(factor)
        if len({kind.type for kind in types}) < len(types):
            raise BadRequestError(
                f"sample_type: two of the same name in {', '.join(kind.type for kind in types)}"
            )
        return tuple(types), factors

    def _values(self, width: int, factors: list[int]) -> Numbers:
        lists = list(map(attrgetter("value"), self._message.sample))
        lengths = _lengths(lists)
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
        for sample in np.flatnonzero(_lengths(lists)).tolist():
            key = tuple((one.key, one.str, one.num, one.num_unit) for one in lists[sample])
            places[sample] = known.setdefault(key, len(known))
        return places, [dict(self._label(*one) for one in key) for key in known]

    def _label(self, key: int, text: int, number: int, unit: int) -> tuple[str, str]:
        name = self._text(key, "sample.label.key")
        if not name:
            raise BadRequestError("sample.label.key: a label has no name")
        self._text(unit, "sample.label.num_unit")
        return name, self._text(text, f"sample.label {name!r}") if text else str(number)

    def _times(self) -> tuple[int, int]:
        message, sender = self._message, self._sender
        if message.duration_nanos < 0:
            raise BadRequestError(f"duration_nanos: negative: {message.duration_nanos}")
        duration = message.duration_nanos or max(sender.end - sender.start, 0)
        begin = message.time_nanos or sender.start or time.time_ns() - duration
        return checked_time(begin, self._limits, "time_nanos"), duration

    def _attributes(self) -> dict[str, str]:
        known = dict(self._sender.attributes)
        if self._message.mapping:
            build = self._text(self._message.mapping[0].build_id, "mapping[0].build_id")
            known |= {"build_id": build} if build else {}
        return known

    def _stacks(self) -> Stacks:
        frames, first, count = self._frames()
        lists = list(map(attrgetter("location_id"), self._message.sample))
        lengths = _lengths(lists)
        if lengths.sum() > self._limits.frames:
            raise BadRequestError(f"sample.location_id: more than {self._limits.frames} of them")
        ids = np.fromiter(chain.from_iterable(lists), np.uint64, int(lengths.sum()))
        of_sample = np.repeat(np.arange(len(lists)), lengths)
        located = _places(self._ids("location"), ids, lambda at: f"sample[{of_sample[at]}].location_id")
        counts = count[located]
        if counts.sum() > self._limits.frames:
            raise BadRequestError(
                f"sample.location_id: more than {self._limits.frames} frames, inlined ones counted"
            )
        offsets = _offsets(np.bincount(of_sample, weights=counts, minlength=len(lists)).astype(np.int64))
        return Stacks(frames, _ranges(first[located], counts), offsets)

    def _frames(self) -> tuple[Frames, Numbers, Numbers]:
        """All lines of all locations as frames; where each location's begin and how many they are."""
        lines = list(map(attrgetter("line"), self._message.location))
        counts = _lengths(lines)
        flat = list(chain.from_iterable(lines))
        if len(flat) > self._limits.records:
            raise BadRequestError(f"location.line: more than {self._limits.records} of them")
        of_location = np.repeat(np.arange(len(lines)), counts)
        functions, files = self._functions()
        wanted = np.fromiter(map(attrgetter("function_id"), flat), np.uint64, len(flat))
        at = _places(
            self._ids("function"), wanted, lambda line: f"location[{of_location[line]}].line.function_id"
        )
        numbers = np.fromiter(map(attrgetter("line"), flat), np.int64, len(flat))
        if (wrong := np.flatnonzero((numbers < 0) | (numbers > _LINE_MAX))).size:
            raise BadRequestError(
                f"location[{of_location[wrong[0]]}].line.line: {numbers[wrong[0]]} is no line"
            )
        mappings = self._mappings()
        last = np.zeros(len(flat), np.bool_)
        last[np.cumsum(counts)[counts > 0] - 1] = True
        named = Frames(
            [functions[place] for place in at.tolist()], [files[place] for place in at.tolist()], numbers,
            [mappings[place] for place in of_location.tolist()], ~last,
        )  # fmt: skip
        return self._with_nameless(named, mappings, _offsets(counts)[:-1], counts)

    def _with_nameless(
        self, named: Frames, mappings: list[str], first: Numbers, counts: Numbers
    ) -> tuple[Frames, Numbers, Numbers]:
        """Locations that nobody gave a function become one frame each, named by where the code is."""
        nameless = np.flatnonzero(counts == 0).tolist()
        if not nameless:
            return named, first, counts
        first, counts = first.copy(), counts.copy()
        first[nameless], counts[nameless] = len(named) + np.arange(len(nameless)), 1
        more = len(nameless)
        frames = Frames(
            named.functions + [self._address(place) for place in nameless], named.files + [""] * more,
            np.append(named.lines, np.zeros(more, np.int64)), named.mappings + [mappings[place] for place in nameless],
            np.append(named.inlined, np.zeros(more, np.bool_)),
        )  # fmt: skip
        return frames, first, counts

    def _address(self, place: int) -> str:
        """`libc.so.6+0x1a2b`: the address inside the file, which is the same in every process."""
        location = self._message.location[place]
        for mapping in self._message.mapping:
            if mapping.id == location.mapping_id and location.mapping_id:
                name = self._text(mapping.filename, "mapping.filename").rsplit("/", 1)[-1] or "unknown"
                offset = location.address - mapping.memory_start + mapping.file_offset
                return f"{name}+{offset & (2**64 - 1):#x}"
        return f"{location.address:#x}"

    def _functions(self) -> tuple[list[str], list[str]]:
        names, files = [], []
        for place, function in enumerate(self._message.function):
            name = self._text(function.name, f"function[{place}].name")
            names.append(name or self._text(function.system_name, f"function[{place}].system_name") or "?")
            files.append(self._text(function.filename, f"function[{place}].filename"))
        return names, files

    def _mappings(self) -> list[str]:
        """The mapping's file of each location, empty where it has none."""
        files = {
            id: self._text(mapping.filename, f"mapping[{place}].filename")
            for place, (id, mapping) in enumerate(
                zip(self._ids("mapping").tolist(), self._message.mapping, strict=True)
            )
        }
        files[0] = ""
        found = [files.get(location.mapping_id) for location in self._message.location]
        if None in found:
            raise BadRequestError(
                f"location[{found.index(None)}].mapping_id: there is no mapping with this id"
            )
        return [file or "" for file in found]

    def _ids(self, name: str) -> Hashes:
        records = getattr(self._message, name)
        ids = np.fromiter(map(attrgetter("id"), records), np.uint64, len(records))
        if (zero := np.flatnonzero(ids == 0)).size:
            raise BadRequestError(f"{name}[{zero[0]}].id: zero, and an id must not be")
        if len(np.unique(ids)) < len(ids):
            raise BadRequestError(f"{name}: two with the same id")
        return ids

    def _text(self, place: int, field: str) -> str:
        if not 0 <= place < len(self._strings):
            raise BadRequestError(f"{field}: string {place} of {len(self._strings)}")
        return self._strings[place]


def checked_time(nanoseconds: int, limits: ProfileLimits, field: str) -> int:
    """The time, if it is near enough to now to be kept."""
    ago = (time.time_ns() - nanoseconds) / 1_000_000_000
    if ago > limits.past_seconds:
        days = f"{limits.past_seconds / 86400:g}"
        raise BadRequestError(f"{field}: {nanoseconds} (Unix ns) is more than {days} days ago", field)
    if -ago > limits.future_seconds:
        raise BadRequestError(f"{field}: {nanoseconds} (Unix ns) is in the future", field)
    return nanoseconds


def _strings(table: Any) -> list[str]:
    texts = []
    for place, text in enumerate(table):
        try:
            texts.append(text.decode())
        except UnicodeDecodeError as error:
            raise BadRequestError(f"string_table[{place}]: not UTF-8 at byte {error.start}") from None
    if texts and texts[0]:
        raise BadRequestError("string_table[0]: must be empty")
    return texts or [""]


def _lengths(lists: list[Any]) -> Numbers:
    return np.fromiter(map(len, lists), np.int64, len(lists))


def _offsets(lengths: Numbers) -> Numbers:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _ranges(starts: Numbers, counts: Numbers) -> Numbers:
    """`starts[0], starts[0] + 1, ...` for each start, as many as its count."""
    before = np.cumsum(counts) - counts
    ranges: Numbers = np.arange(int(counts.sum())) + np.repeat(starts - before, counts)
    return ranges


def _places(ids: Hashes, wanted: Hashes, where: Callable[[int], str]) -> Numbers:
    """Where each wanted id stands; `where` says which field has a wrong one."""
    order = np.argsort(ids)
    at = np.minimum(np.searchsorted(ids, wanted, sorter=order), max(len(ids) - 1, 0))
    found = ids[order[at]] == wanted if len(ids) else np.zeros(len(wanted), np.bool_)
    if (missing := np.flatnonzero(~found)).size:
        raise BadRequestError(f"{where(int(missing[0]))}: nothing has the id {wanted[missing[0]]}")
    places: Numbers = order[at] if len(ids) else np.zeros(0, np.int64)
    return places
