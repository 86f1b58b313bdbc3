"""What the judge found: one subject of one signal that is worse, better, or just moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Direction = Literal["worse", "better", "moved"]
SignalName = Literal["metrics", "traces", "logs", "profiles"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`change` is relative (0.35 is +35 %), None where the baseline has nothing to relate to.

    `interval` is that of the change (95 %), `p_value` of the test, `q_value` after all tests were held to one false
    discovery rate. `examples` are trace ids, log lines or stacks; `evidence` an API path to the numbers.
    """

    signal: SignalName
    subject: str
    direction: Direction
    title: str
    measure: str
    baseline: float | None
    candidate: float | None
    unit: str
    change: float | None
    interval: tuple[float | None, float | None] | None
    p_value: float
    q_value: float
    rank: int = 0
    examples: tuple[str, ...] = ()
    evidence: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As `/api/compare` answers it."""
        return {
            "signal": self.signal,
            "subject": self.subject,
            "direction": self.direction,
            "title": self.title,
            "measure": self.measure,
            "baseline": self.baseline,
            "candidate": self.candidate,
            "unit": self.unit,
            "change": self.change,
            "interval": list(self.interval) if self.interval else None,
            "p_value": self.p_value,
            "q_value": self.q_value,
            "rank": self.rank,
            "examples": list(self.examples),
            "evidence": {"api": self.evidence},
            "detail": self.detail,
        }
