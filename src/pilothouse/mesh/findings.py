"""What is to be said about a resource: an error in it, a part of its meaning that is lost, or a doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pilothouse.kube.objects import Place

Level = Literal["error", "loss", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark. `subject` is the resource (`TrafficSplit shop/checkout`), `field` the path of what it is about.

    An `error` keeps the resource from being used; a `loss` says what a target cannot express, and that it was left out
    so that nothing more is allowed than was asked for; a `warning` says what may not be meant.
    """

    level: Level
    code: str
    subject: str
    field: str
    message: str
    place: Place | None = None

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        field = f" {self.field}:" if self.field else ":"
        return f"{where}{self.level}: {self.subject}{field} {self.message} [{self.code}]"

    def as_json(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        return {
            "level": self.level, "code": self.code, "subject": self.subject, "field": self.field,
            "message": self.message, "place": str(self.place) if self.place else None,
        }  # fmt: skip
