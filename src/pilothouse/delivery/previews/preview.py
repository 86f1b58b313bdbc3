"""The noun: one pull request, running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pilothouse.signals.timerange import to_rfc3339

State = Literal["asked", "starting", "ready", "failed", "stopped"]
LIVE: tuple[State, ...] = ("asked", "starting", "ready")


class PreviewError(Exception):
    """It cannot be started; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The preview of pull request `number` of `repository` on `forge`, at `commit`.

    `port` is where it is reached on this machine (0: not yet), `place` the namespace when it is on Kubernetes. `how`
    says how it is kept apart. Times are seconds since the epoch.
    """

    id: int
    repository: str
    number: int
    commit: str
    state: State = "asked"
    reason: str = ""
    url: str = ""
    port: int = 0
    place: str = ""
    how: str = ""
    started: float = 0.0
    expires: float = 0.0
    updated: float = 0.0
    forge: str = "local"

    def to_json(self) -> dict[str, Any]:
        """As `/api/previews` answers it."""
        return {
            "id": self.id,
            "forge": self.forge,
            "repository": self.repository,
            "number": self.number,
            "commit": self.commit,
            "state": self.state,
            "reason": self.reason,
            "url": self.url or None,
            "namespace": self.place or None,
            "how": self.how,
            "started": _time(self.started),
            "expires": _time(self.expires),
            "updated": _time(self.updated),
        }


def _time(seconds: float) -> str | None:
    return to_rfc3339(int(seconds * 1e9)) if seconds else None
