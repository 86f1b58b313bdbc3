"""An event as it is kept, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

State = Literal["waiting", "taken", "done", "ignored", "aside"]
STATES: tuple[State, ...] = ("waiting", "taken", "done", "ignored", "aside")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is put in: `delivery` is the forge's own id of it, `digest` the SHA-256 of the bytes it came as (hex).

    `lane` is what has to be worked on in order: a pull request, or a branch.
    """

    forge: str
    delivery: str
    digest: str
    lane: str
    repository: str
    number: int
    kind: str
    content: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An event of the inbox. Times are seconds since the epoch, 0 for not yet; `content` is JSON, empty when forgotten.

    `due` is when a waiting one may be tried, or until when a taken one's lease holds.
    """

    id: int
    forge: str
    delivery: str
    lane: str
    repository: str
    number: int
    kind: str
    state: State
    attempts: int
    due: float
    owner: str
    received: float
    finished: float
    reason: str
    content: str

    def to_json(self) -> dict[str, Any]:
        """As the API answers it."""
        import json

        from pilothouse.signals.timerange import to_rfc3339

        def moment(seconds: float) -> str | None:
            return to_rfc3339(int(seconds * 1e9)) if seconds else None

        return {
            "id": self.id, "forge": self.forge, "delivery": self.delivery, "repository": self.repository,
            "number": self.number or None, "kind": self.kind, "state": self.state, "attempts": self.attempts,
            "due": moment(self.due) if self.state == "waiting" else None, "received": moment(self.received),
            "finished": moment(self.finished), "reason": self.reason,
            "event": json.loads(self.content) if self.content else None,
        }  # fmt: skip
