"""The nouns: stacks of frames, and a profile as columns, whatever format it came in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint64]
Numbers: TypeAlias = NDArray[np.int64]

GAUGES = ("inuse_objects", "inuse_space", "goroutine", "threads", "heap_live")
"""Types that say what is there at one moment; all others say what was spent since the profile before."""


@dataclass(frozen=True, slots=True)
class Frames:
    """Distinct frames, as columns of one length.

    `mappings` are the binary or library a function is in; an `inlined` frame was called by the next without a
    call.
    """

    functions: list[str]
    files: list[str]
    lines: Numbers
    mappings: list[str]
    inlined: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.functions)


@dataclass(frozen=True, slots=True)
class Stacks:
    """Distinct stacks, leaf first: stack `i` is `frames` at `places[offsets[i]:offsets[i + 1]]`."""

    frames: Frames
    places: Numbers
    offsets: Numbers

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def depths(self) -> Numbers:
        """How many frames each stack has."""
        return np.diff(self.offsets)


@dataclass(frozen=True, slots=True)
class SampleType:
    """What a column of values counts: `unit` is UCUM (`ns`, `By`, `1`), `period` is between two samples."""

    type: str
    unit: str
    period: int = 0
    period_type: str = ""
    period_unit: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile: row `r` is stack `stack_of[r]` with labels `label_sets[labels_of[r]]` and `values[r,
    type]`.

    `time` is its beginning in nanoseconds since the epoch, `duration` in nanoseconds; `resource` is who was
    profiled, `attributes` what else is known about the profile.
    """

    resource: dict[str, str]
    time: int
    duration: int
    types: tuple[SampleType, ...]
    stacks: Stacks
    stack_of: Numbers
    labels_of: Numbers
    label_sets: list[dict[str, str]]
    values: Numbers
    attributes: dict[str, str] = field(default_factory=dict)
