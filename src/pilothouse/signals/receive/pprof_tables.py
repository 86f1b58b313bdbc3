"""pprof's tables: strings, functions, mappings and locations, checked, and each location's frames."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.model import Frames, Hashes, Numbers
from pilothouse.signals.receive.pprof_limits import ProfileLimits

_LINE_MAX = 2**32 - 1


class Tables:
    """The tables of one message. Methods raise `BadRequestError` that names the wrong record."""

    def __init__(self, message: Any, limits: ProfileLimits) -> None:
        self._message, self._limits = message, limits
        for name in ("sample", "location", "function", "mapping", "string_table"):
            if len(getattr(message, name)) > limits.records:
                raise BadRequestError(f"{name}: more than {limits.records} of them")
        self._strings = _strings(message.string_table)

    def frames(self) -> tuple[Frames, Numbers, Numbers]:
        """All lines of all locations as frames; where each location's begin and how many they are."""
        lines = list(map(attrgetter("line"), self._message.location))
        counts = lengths_of(lines)
        flat = list(chain.from_iterable(lines))
        if len(flat) > self._limits.records:
            raise BadRequestError(f"location.line: more than {self._limits.records} of them")
        of_location = np.repeat(np.arange(len(lines)), counts)
        functions, files = self._functions()
        wanted = np.fromiter(map(attrgetter("function_id"), flat), np.uint64, len(flat))
        at = places_of(self.ids("function"), wanted, lambda line: f"location[{of_location[line]}].line.function_id")
        numbers = np.fromiter(map(attrgetter("line"), flat), np.int64, len(flat))
        if (wrong := np.flatnonzero((numbers < 0) | (numbers > _LINE_MAX))).size:
            raise BadRequestError(f"location[{of_location[wrong[0]]}].line.line: {numbers[wrong[0]]} is no line")
        mappings = self._mappings()
        last = np.zeros(len(flat), np.bool_)
        last[np.cumsum(counts)[counts > 0] - 1] = True
        named = Frames(
            [functions[place] for place in at.tolist()], [files[place] for place in at.tolist()], numbers,
            [mappings[place] for place in of_location.tolist()], ~last,
        )  # fmt: skip
        return self._with_nameless(named, mappings, offsets_of(counts)[:-1], counts)

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
                name = self.text(mapping.filename, "mapping.filename").rsplit("/", 1)[-1] or "unknown"
                offset = location.address - mapping.memory_start + mapping.file_offset
                return f"{name}+{offset & (2**64 - 1):#x}"
        return f"{location.address:#x}"

    def _functions(self) -> tuple[list[str], list[str]]:
        names, systems, files = (self._texts("function", field) for field in ("name", "system_name", "filename"))
        return [name or system or "?" for name, system in zip(names, systems, strict=True)], files

    def _texts(self, table: str, field: str) -> list[str]:
        """The strings to which a field of all records of a table refers."""
        records = getattr(self._message, table)
        places = np.fromiter(map(attrgetter(field), records), np.int64, len(records))
        if (wrong := np.flatnonzero((places < 0) | (places >= len(self._strings)))).size:
            self.text(int(places[wrong[0]]), f"{table}[{wrong[0]}].{field}")
        return [self._strings[place] for place in places.tolist()]

    def _mappings(self) -> list[str]:
        """The mapping's file of each location, empty where it has none."""
        files = dict(zip(self.ids("mapping").tolist(), self._texts("mapping", "filename"), strict=True))
        files[0] = ""
        found = list(map(files.get, map(attrgetter("mapping_id"), self._message.location)))
        if None in found:
            raise BadRequestError(f"location[{found.index(None)}].mapping_id: there is no mapping with this id")
        return [file or "" for file in found]

    def ids(self, name: str) -> Hashes:
        """The ids of a table's records: none zero, none twice."""
        records = getattr(self._message, name)
        ids = np.fromiter(map(attrgetter("id"), records), np.uint64, len(records))
        if (zero := np.flatnonzero(ids == 0)).size:
            raise BadRequestError(f"{name}[{zero[0]}].id: zero, and an id must not be")
        if len(np.unique(ids)) < len(ids):
            raise BadRequestError(f"{name}: two with the same id")
        return ids

    def text(self, place: int, field: str) -> str:
        """The string at a place; `field` is what refers to it."""
        if not 0 <= place < len(self._strings):
            raise BadRequestError(f"{field}: string {place} of {len(self._strings)}")
        return self._strings[place]


def _strings(table: Any) -> list[str]:
    texts = _decoded(list(table))
    if texts and texts[0]:
        raise BadRequestError("string_table[0]: must be empty")
    return texts or [""]


def _decoded(table: list[bytes]) -> list[str]:
    # All at once, unless one of them is odd.
    with suppress(UnicodeDecodeError):
        texts = b"\0".join(table).decode().split("\0")
        if len(texts) == len(table):
            return texts
    texts = []
    for place, text in enumerate(table):
        try:
            texts.append(text.decode())
        except UnicodeDecodeError as error:
            raise BadRequestError(f"string_table[{place}]: not UTF-8 at byte {error.start}") from None
    return texts


def lengths_of(lists: list[Any]) -> Numbers:
    """How long each list is."""
    return np.fromiter(map(len, lists), np.int64, len(lists))


def offsets_of(counts: Numbers) -> Numbers:
    """Where each of consecutive runs of these lengths begins, and the end of the last."""
    bounds = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=bounds[1:])
    return bounds


def ranges_of(starts: Numbers, counts: Numbers) -> Numbers:
    """`starts[0], starts[0] + 1, ...` for each start, as many as its count."""
    before = np.cumsum(counts) - counts
    every: Numbers = np.arange(int(counts.sum())) + np.repeat(starts - before, counts)
    return every


def places_of(ids: Hashes, wanted: Hashes, where: Callable[[int], str]) -> Numbers:
    """Where each wanted id stands; `where` says which field has a wrong one."""
    order = np.argsort(ids)
    at = np.minimum(np.searchsorted(ids, wanted, sorter=order), max(len(ids) - 1, 0))
    found = ids[order[at]] == wanted if len(ids) else np.zeros(len(wanted), np.bool_)
    if (missing := np.flatnonzero(~found)).size:
        raise BadRequestError(f"{where(int(missing[0]))}: nothing has the id {wanted[missing[0]]}")
    found_at: Numbers = order[at] if len(ids) else np.zeros(0, np.int64)
    return found_at
