"""A `Profile` in the formats that other tools read: pprof, folded stacks, speedscope."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

from pilothouse.signals.profiles.model import Profile
from pilothouse.signals.profiles.pprof import PprofProfile

_PPROF_UNITS = {"ns": "nanoseconds", "By": "bytes", "1": "count"}
_SPEEDSCOPE_UNITS = {"ns": "nanoseconds", "By": "bytes"}

Place = tuple[str, str, int, str, bool]
"""A frame's function, file, line, mapping, and whether it was inlined into the next."""


def to_pprof(profile: Profile) -> bytes:
    """pprof, gzipped, as `go tool pprof` reads it; the same profile always gives the same bytes."""
    return gzip.compress(to_pprof_message(profile).SerializeToString(deterministic=True), 6, mtime=0)


def to_pprof_message(profile: Profile) -> Any:
    """The same as a message."""
    return _Pprof(profile).message


def to_folded(profile: Profile) -> str:
    """A line a stack, root first, with the value of the first type; a semicolon in a name becomes a colon."""
    summed: dict[str, int] = {}
    for frames, row in _stacks(profile):
        names = ";".join(frame[0].replace(";", ":").replace("\n", " ") for frame in reversed(frames))
        summed[names] = summed.get(names, 0) + int(profile.values[row, 0])
    return "".join(f"{names} {value}\n" for names, value in summed.items() if value and names)


def to_speedscope(profile: Profile, name: str) -> str:
    """speedscope's JSON (speedscope.app, file format schema): one sampled profile a type."""
    frames: dict[tuple[str, str, int], int] = {}
    stacks = [[frames.setdefault(frame[:3], len(frames)) for frame in reversed(found)] for found, _ in _stacks(profile)]
    content = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": "pilothouse",
        "name": name,
        "shared": {"frames": [_speedscope_frame(*frame) for frame in frames]},
        "profiles": [
            {
                "type": "sampled", "name": kind.type, "unit": _SPEEDSCOPE_UNITS.get(kind.unit, "none"), "startValue": 0,
                "endValue": int(profile.values[:, column].sum()), "samples": stacks,
                "weights": profile.values[:, column].tolist(),
            }
            for column, kind in enumerate(profile.types)
        ],
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _speedscope_frame(function: str, file: str, line: int) -> dict[str, Any]:
    return {"name": function} | ({"file": file} if file else {}) | ({"line": line} if line else {})


def _stacks(profile: Profile) -> Iterator[tuple[list[Place], int]]:
    """Each row's frames, leaf first, and the row."""
    columns = profile.stacks.frames
    frames: list[Place] = list(
        zip(
            columns.functions, columns.files, columns.lines.tolist(), columns.mappings, columns.inlined.tolist(),
            strict=True,
        )
    )  # fmt: skip
    places, offsets = profile.stacks.places.tolist(), profile.stacks.offsets.tolist()
    for row, stack in enumerate(profile.stack_of.tolist()):
        yield [frames[place] for place in places[offsets[stack] : offsets[stack + 1]]], row


class _Pprof:
    """One message being written."""

    def __init__(self, profile: Profile) -> None:
        self.message = PprofProfile(time_nanos=profile.time, duration_nanos=profile.duration)
        self._strings: dict[str, int] = {}
        self._functions: dict[tuple[str, str], int] = {}
        self._mappings: dict[str, int] = {}
        self._locations: dict[tuple[Place, ...], int] = {}
        self._text("")
        self._write_types(profile)
        for frames, row in _stacks(profile):
            labels = profile.label_sets[int(profile.labels_of[row])]
            sample = self.message.sample.add(value=profile.values[row].tolist(), location_id=self._located(frames))
            for key, text in sorted(labels.items()):
                sample.label.add(key=self._text(key), str=self._text(text))

    def _write_types(self, profile: Profile) -> None:
        for kind in profile.types:
            unit = _PPROF_UNITS.get(kind.unit, kind.unit)
            self.message.sample_type.add(type=self._text(kind.type), unit=self._text(unit))
        first = profile.types[0]
        self.message.period = first.period
        self.message.period_type.type = self._text(first.period_type)
        self.message.period_type.unit = self._text(first.period_unit)

    def _located(self, frames: list[Place]) -> list[int]:
        """Locations of a stack: inlined frames stand in one with the function that they were inlined into."""
        ids, lines = [], []
        for frame in frames:
            lines.append(frame)
            if not frame[4]:
                ids.append(self._location(tuple(lines)))
                lines = []
        return [*ids, self._location(tuple(lines))] if lines else ids

    def _location(self, lines: tuple[Place, ...]) -> int:
        if lines not in self._locations:
            self._locations[lines] = len(self._locations) + 1
            location = self.message.location.add(id=len(self._locations), mapping_id=self._mapping(lines[-1][3]))
            for function, file, line, _, _ in lines:
                location.line.add(function_id=self._function(function, file), line=line)
        return self._locations[lines]

    def _function(self, name: str, file: str) -> int:
        if (name, file) not in self._functions:
            self._functions[name, file] = len(self._functions) + 1
            self.message.function.add(id=len(self._functions), name=self._text(name), filename=self._text(file))
        return self._functions[name, file]

    def _mapping(self, file: str) -> int:
        if file and file not in self._mappings:
            self._mappings[file] = len(self._mappings) + 1
            self.message.mapping.add(
                id=len(self._mappings), filename=self._text(file), has_functions=True, has_filenames=True,
                has_line_numbers=True, has_inline_frames=True,
            )  # fmt: skip
        return self._mappings.get(file, 0)

    def _text(self, text: str) -> int:
        if text not in self._strings:
            self._strings[text] = len(self._strings)
            self.message.string_table.append(text.encode())
        return self._strings[text]
