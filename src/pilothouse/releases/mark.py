"""A mark: somebody says that a version was released, and when, whether or not its telemetry does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pilothouse.signals.timerange import to_rfc3339


@dataclass(frozen=True, slots=True)
class Mark:
    """`at` in nanoseconds since the epoch; `by` is who says so: a person, a pipeline, a rollout.

    `kind` is `release`, or `config` for a change of configuration, flags or schema that is no new version.
    """

    service: str
    version: str
    at: int
    kind: str = "release"
    by: str = ""
    environment: str = ""
    commit: str = ""
    url: str = ""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """As `/api/releases` answers it."""
        return {
            "service": self.service,
            "version": self.version,
            "at": to_rfc3339(self.at),
            "kind": self.kind,
            "by": self.by,
            "environment": self.environment,
            "commit": self.commit,
            "url": self.url,
            "note": self.note,
        }
