"""One side of a comparison as it is asked for, before anything is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pilothouse.signals.selector import Selector
from pilothouse.signals.timerange import TimeRange


@dataclass(frozen=True, slots=True)
class Party:
    """A version, a part of the service that a selector narrows to (a region, some pods, the old home), or both.

    `within` is its own time range, where it is not the comparison's; `label` what a reader sees when no version names
    it.
    """

    version: str = ""
    where: Selector = field(default_factory=Selector)
    within: TimeRange | None = None
    label: str = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.label or self.version or "all"
