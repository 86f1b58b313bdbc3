"""The costs of a profile type: samples of each stack in each replicate, and which functions a stack holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pilothouse.releases.both import Both
from pilothouse.releases.statistics import Floats
from pilothouse.releases.tested import Badness


class Function(NamedTuple):
    """A function by its name and the last part of its file's path."""

    name: str
    file: str


@dataclass(frozen=True)
class Costs:
    """`samples` are [stacks, replicates] of each side; a replicate is a profile or some that follow each other.

    `exposures` say what a replicate covers: requests served, seconds, or 1 for levels; `seconds` how long it profiled
    (0 where that is not known). `frames` is each frame's
    function (a place in `functions`), leaf first, `starts` [stacks + 1] where each stack's frames begin.
    `per_sample` is what a sample is worth in `unit`.
    """

    type: str
    unit: str
    per_sample: float
    bad: Badness
    level: bool
    functions: tuple[Function, ...]
    frames: NDArray[np.int64]
    starts: NDArray[np.int64]
    samples: Both[Floats]
    exposures: Both[Floats]
    seconds: Both[Floats]

    @cached_property
    def containing(self) -> sparse.csr_array:
        """[functions, stacks]: 1 where a function is anywhere in a stack, however often."""
        stacks = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        pairs = np.unique(np.stack([self.frames, stacks]), axis=1)
        return self._incidence(pairs[0], pairs[1])

    @cached_property
    def leaves(self) -> sparse.csr_array:
        """[functions, stacks]: 1 where a function is the leaf of a stack."""
        filled = np.flatnonzero(np.diff(self.starts) > 0)
        return self._incidence(self.frames[self.starts[filled]], filled)

    @cached_property
    def deltas(self) -> Floats:
        """Each stack's cost per exposure on the candidate's side minus that on the baseline's, in samples."""
        base, other = (
            samples.sum(1) / exposure.sum() for samples, exposure in zip(self.samples, self.exposures, strict=True)
        )
        delta: Floats = other - base
        return delta

    def once(self, sizes: Both[int]) -> Costs:
        """The same with what is held counted once for each of so many processes, however often they were profiled.

        A block that was noted is in all profiles of its process until it is freed: they are one sample, not many.
        """
        every = zip(self.exposures, sizes, strict=True)
        repeats = Both(*(max(float(exposure.sum()) / max(size, 1), 1.0) for exposure, size in every))
        samples, exposures = (
            Both(both.baseline / repeats.baseline, both.candidate / repeats.candidate)
            for both in (self.samples, self.exposures)
        )
        return replace(self, samples=samples, exposures=exposures)

    def total(self, side: Floats) -> Floats:
        """Samples of each function and all that it calls [functions, replicates]."""
        found: Floats = self.containing @ side
        return found

    def own(self, side: Floats) -> Floats:
        """Samples of each function itself [functions, replicates]."""
        found: Floats = self.leaves @ side
        return found

    def stack(self, place: int) -> list[Function]:
        """One stack's functions, root first."""
        frames = self.frames[self.starts[place] : self.starts[place + 1]]
        return [self.functions[frame] for frame in frames[::-1]]

    def _incidence(self, functions: NDArray[np.int64], stacks: NDArray[np.int64]) -> sparse.csr_array:
        shape = (len(self.functions), len(self.starts) - 1)
        return sparse.csr_array((np.ones(len(functions)), (functions, stacks)), shape=shape)
