"""Conditions and reasons of runs, in Tekton's words (`docs/taskruns.md`, `docs/pipelineruns.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pilothouse.delivery.pipelines import times


@dataclass(frozen=True, slots=True)
class Condition:
    """How a run is: `status` True, False or Unknown, why in one word, and in a sentence."""

    status: str
    reason: str
    message: str = ""
    at: int = 0

    @property
    def done(self) -> bool:
        return self.status != "Unknown"

    @property
    def succeeded(self) -> bool:
        return self.status == "True"

    def to_json(self) -> dict[str, Any]:
        """As it stands in `status.conditions`."""
        return {
            "lastTransitionTime": times.written(self.at or times.now()),
            "message": self.message,
            "reason": self.reason,
            "status": self.status,
            "type": "Succeeded",
        }


def of(status: dict[str, Any]) -> Condition:
    """The condition in an object's status."""
    for one in status.get("conditions") or []:
        if one.get("type") == "Succeeded":
            return Condition(one.get("status", "Unknown"), one.get("reason", ""), one.get("message", ""))
    return Condition("Unknown", "Pending", "")
