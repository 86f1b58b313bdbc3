"""The noun: one version on its way into one environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pilothouse.signals.timerange import to_rfc3339

State = Literal[
    "opening", "open", "merged", "rolling_out", "deployed", "rolled_back", "closed", "superseded", "failed",
]  # fmt: skip
ONGOING: tuple[State, ...] = ("opening", "open", "merged", "rolling_out")


@dataclass(frozen=True, slots=True)
class Promotion:
    """`version` of `service` into `environment`, in the place of `before`.

    `opening`: nothing was done yet; `open`: its pull request waits (`number` of `repository`, `forge`, from `branch`);
    `merged`: it is declared; `rolling_out`: rollout `rollout` gives it its traffic. The other states are ends. `reason`
    says in words why it is where it is. `reverts` is the promotion that this one takes back (0: none), `report` why.
    `blocked` says which hazards keep it from merging. With `onward` the next environment follows once it is deployed.
    Times are seconds since the epoch.
    """

    id: int
    service: str
    version: str
    environment: str
    before: str = ""
    state: State = "opening"
    reason: str = ""
    by: str = ""
    onward: bool = False
    repository: str = ""
    branch: str = ""
    number: int = 0
    url: str = ""
    head: str = ""
    commit: str = ""
    rollout: int = 0
    reverts: int = 0
    report: str = ""
    changes: str = ""
    approved_by: str = ""
    blocked: str = ""
    created: float = 0.0
    updated: float = 0.0
    revision: int = 0
    forge: str = ""

    @property
    def title(self) -> str:
        """In one line, for people."""
        if self.reverts:
            return f"Take {self.service} in {self.environment} back from {self.before} to {self.version}"
        was = f" from {self.before}" if self.before else ""
        return f"Promote {self.service} in {self.environment}{was} to {self.version}"

    def to_json(self) -> dict[str, Any]:
        """As `/api/promotions` answers it."""
        where = {"forge": self.forge, "repository": self.repository, "number": self.number, "url": self.url}
        return {
            "id": self.id,
            "service": self.service,
            "version": self.version,
            "before": self.before,
            "environment": self.environment,
            "kind": "rollback" if self.reverts else "promotion",
            "state": self.state,
            "reason": self.reason,
            "by": self.by,
            "onward": self.onward,
            "pull_request": where if self.number else None,
            "commit": self.commit,
            "rollout": self.rollout or None,
            "reverts": self.reverts or None,
            "report": self.report,
            "changes": self.changes,
            "approved_by": self.approved_by,
            "blocked": self.blocked,
            "created": to_rfc3339(int(self.created * 1e9)),
            "updated": to_rfc3339(int(self.updated * 1e9)),
        }


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to a promotion, in words."""

    at: float
    kind: str
    words: str
    by: str = "pilothouse"

    def to_json(self) -> dict[str, Any]:
        """As `/api/promotions/{promotion}` answers it."""
        return {"at": to_rfc3339(int(self.at * 1e9)), "kind": self.kind, "words": self.words, "by": self.by}
