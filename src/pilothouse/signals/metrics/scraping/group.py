"""What a discovery finds: groups of targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Group:
    """Targets as they were found: labels of each, and what they have in common."""

    targets: list[dict[str, str]]
    labels: dict[str, str] = field(default_factory=dict)

    def each(self) -> Iterable[dict[str, str]]:
        """The labels of each target; its own win."""
        return ({**self.labels, **target} for target in self.targets)


Update = Callable[[str, list[Group]], None]
"""Called with the name of a source and all of its groups whenever they change."""
