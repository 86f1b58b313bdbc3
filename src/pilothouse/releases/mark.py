"""A mark: somebody says that a version was released, and when, whether or not its telemetry does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pilothouse.signals.timerange import to_rfc3339

# The fields that say what a version was made of.
MADE_OF = ("forge", "repository", "pulls", "run", "tag")


@dataclass(frozen=True, slots=True)
class Mark:
    """`at` in nanoseconds since the epoch; `by` is who says so: a person, a pipeline, a rollout.

    `kind` is `release`, or `config` for a change of configuration, flags or schema that is no new version.
    A release that delivery made says what it was made of: `tag` of `repository` on `forge`, with the pull requests
    `pulls`, tested by the pipeline run `run`; its signed provenance is kept under the tag.
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
    forge: str = ""
    repository: str = ""
    pulls: tuple[int, ...] = ()
    run: str = ""
    tag: str = ""

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
            "made_of": self._made_of(),
        }

    def _made_of(self) -> dict[str, Any] | None:
        """What delivery made it of; None for a mark that somebody else set."""
        if not self.repository:
            return None
        where = urlencode({"repository": f"{self.forge}:{self.repository}", "tag": self.tag})
        return {
            "forge": self.forge,
            "repository": self.repository,
            "tag": self.tag,
            "pull_requests": list(self.pulls),
            "run": self.run or None,
            "provenance": f"/api/delivery/releases/provenance?{where}" if self.tag else None,
        }
