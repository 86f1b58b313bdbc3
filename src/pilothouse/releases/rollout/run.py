"""A rollout as it stands, and what has happened to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pilothouse.releases.rollout.plan import Plan
from pilothouse.signals.sentences import parts_of
from pilothouse.signals.timerange import to_rfc3339

State = Literal["running", "paused", "rolling_back", "rolled_back", "succeeded"]
Phase = Literal["entering", "setting", "holding"]
OPEN: tuple[State, ...] = ("running", "paused", "rolling_back")


@dataclass(frozen=True, slots=True)
class Run:
    """`step` is the place in the plan's steps, `phase` how far that step is.

    `entering`: nothing was done yet; `setting`: it is written down that the weight is to be set, and `attempt` counts
    the keys given out for it; `holding`: it was set at `since`. Times are seconds since the epoch. `misses` counts what
    failed in a row, by check (`judge` is the judge). `served` is how many requests the candidate was last seen (at
    `counted`) to have served in this step, `resumed` when a person last sent it on. `looks` are the parts of the step
    that were over when the judge was asked, `late_looks` how often it was asked after its end. `comparison` is the
    number of the last verdict that was heard (0: none yet). `revision` grows with every change: who writes must have
    read the last one.
    """

    id: int
    plan: Plan
    state: State
    step: int
    phase: Phase
    attempt: int
    since: float
    asked: float
    started: float
    revision: int
    weight: int = 0
    ended: float = 0.0
    reason: str = ""
    misses: dict[str, int] = field(default_factory=dict)
    verdict: str = ""
    comparison: int = 0
    served: int = 0
    counted: float = 0.0
    resumed: float = 0.0
    looks: list[float] = field(default_factory=list)
    late_looks: int = 0

    @property
    def is_looked_through(self) -> bool:
        """Whether the judge was asked when all of the step's data was there."""
        return bool(self.looks) and self.looks[-1] >= 1.0

    @property
    def weights(self) -> dict[str, int]:
        """Percent of the traffic of each version once the step at hand is set; all the old one's while rolling back."""
        mine = 0 if self.state in ("rolling_back", "rolled_back") else self.wanted
        return {self.plan.baseline: 100 - mine, self.plan.candidate: mine}

    @property
    def wanted(self) -> int:
        """The candidate's weight at this step: that of the last step which sets one."""
        weights = [step.weight for step in self.plan.steps[: self.step + 1] if step.weight is not None]
        return weights[-1] if weights else 0

    @property
    def key(self) -> str:
        """What names this shift of the traffic, the same after a restart."""
        back = "-back" if self.state == "rolling_back" else ""
        return f"{self.id}-{self.step}{back}-{self.attempt}"

    def to_json(self) -> dict[str, Any]:
        """As `/api/rollouts` answers it, without events."""
        return {
            "id": self.id,
            "service": self.plan.service,
            "baseline": self.plan.baseline,
            "candidate": self.plan.candidate,
            "state": self.state,
            "reason": self.reason,
            "said": parts_of(self.reason),
            "step": self.step,
            "phase": self.phase,
            "weight": self.weight,
            "verdict": self.verdict or None,
            "started": _time(self.started),
            "since": _time(self.since),
            "ended": _time(self.ended) if self.ended else None,
            "steps": [
                {
                    "weight": step.weight,
                    "hold_seconds": step.hold,
                    "requests": step.requests or None,
                    "served": self.served if step.requests and place == self.step else None,
                    "words": step.words,
                    "said": parts_of(step.words),
                    "state": self._state_of(place),
                }
                for place, step in enumerate(self.plan.steps)
            ],
            "checks": [
                {"name": one.name, "least": one.least, "most": one.most, "misses": self.misses.get(one.name, 0)}
                for one in self.plan.checks
            ],
            "traffic": {"by": self.plan.traffic.by},
            "not_mapped": list(self.plan.not_mapped),
        }

    def _state_of(self, place: int) -> str:
        if place < self.step or self.state == "succeeded":
            return "done"
        if place > self.step:
            return "skipped" if self.state == "rolled_back" else "waiting"
        return {"rolled_back": "failed", "rolling_back": "failed", "paused": "paused"}.get(self.state, "now")


@dataclass(frozen=True, slots=True)
class Event:
    """One decision or act, with what it rests on; `by` is `pilothouse` or a person.

    `said` are the parts of the words, for other languages; None where they are somebody's own.
    """

    at: float
    step: int
    kind: str
    words: str
    by: str = "pilothouse"
    evidence: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """As `/api/rollouts/{id}` answers it."""
        return {
            "at": _time(self.at),
            "step": self.step,
            "kind": self.kind,
            "words": self.words,
            "said": self.said or parts_of(self.words),
            "by": self.by,
            "evidence": self.evidence,
        }


def _time(seconds: float) -> str:
    return to_rfc3339(int(seconds * 1e9))
