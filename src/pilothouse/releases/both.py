"""The two sides of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Both(Generic[T]):
    """Something of the baseline and the same of the candidate."""

    baseline: T
    candidate: T

    def __iter__(self) -> Iterator[T]:
        return iter((self.baseline, self.candidate))

    def map(self, call: Callable[[T], R]) -> Both[R]:
        """The same call on each side."""
        return Both(call(self.baseline), call(self.candidate))
