"""The noun: what is tested, for whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pilothouse.delivery.acting.mirror import Mirror
from pilothouse.delivery.forges import Forge
from pilothouse.delivery.triggering import Occasion


@dataclass(frozen=True, slots=True)
class Target:
    """The occasion, the forge and mirror of its repository; `file` reads a file of the commit that defines its jobs."""

    forge: Forge
    mirror: Mirror
    occasion: Occasion
    file: Callable[[str], str | None]
