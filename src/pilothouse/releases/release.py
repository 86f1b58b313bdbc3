"""A release: a service and a version, as the signals themselves name it, or a mark does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pilothouse.releases.mark import Mark
from pilothouse.signals.timerange import to_rfc3339


@dataclass(frozen=True, slots=True)
class Release:
    """When (nanoseconds since the epoch), by how many instances and by which signals a version was seen.

    `previous` is the version that was first seen last before this one, or empty; `mark` what somebody said of it.
    """

    service: str
    version: str
    first_seen: int
    last_seen: int
    instances: int
    signals: tuple[str, ...]
    previous: str = ""
    mark: Mark | None = None

    def to_json(self) -> dict[str, Any]:
        """As `/api/releases` answers it, without the verdict."""
        return {
            "service": self.service,
            "version": self.version,
            "first_seen": to_rfc3339(self.first_seen),
            "last_seen": to_rfc3339(self.last_seen),
            "instances": self.instances,
            "signals": list(self.signals),
            "previous": self.previous or None,
            "mark": self.mark.to_json() if self.mark else None,
        }
