"""Status conditions on the interface's resources, as the Gateway API has them: positive, with reason and generation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pilothouse.mesh.findings import Finding

TYPES = ("Accepted", "ResolvedRefs", "Programmed", "FullyExpressed")
_UNRESOLVED = frozenset(("unresolved", "no-source", "no-pods", "unknown-service"))
_LONGEST = 1000


@dataclass(slots=True)
class Told:
    """What is to be said on one resource: findings of reading and checking, losses of compiling, hindrances."""

    errors: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    hindered: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    objects: int = 0
    conflicted: bool = False

    def take(self, finding: Finding) -> None:
        """Sort a finding in."""
        field = f"{finding.field}: " if finding.field else ""
        said = f"{field}{finding.message}"
        if finding.code in _UNRESOLVED:
            rows = self.unresolved
        elif finding.level == "error" or finding.code == "conflict":
            rows = self.errors
            self.conflicted = self.conflicted or finding.code == "conflict"
        elif finding.level == "loss":
            rows = self.losses
        else:
            return
        if said not in rows:
            rows.append(said)


def conditions(told: Told, mesh: str) -> list[dict[str, str]]:
    """The four conditions, each with `type`, `status`, `reason` and `message`."""
    made = [
        _condition("Accepted", told.errors, "Conflicted" if told.conflicted else "Invalid", "Accepted", "it is valid"),
        _condition("ResolvedRefs", told.unresolved, "RefNotFound", "ResolvedRefs", "everything that it names is there"),
    ]
    if told.hindered:
        made.append(_row("Programmed", "False", "Hindered", told.hindered))
    elif told.waiting:
        made.append(_row("Programmed", "Unknown", "Pending", told.waiting))
    elif not told.objects:
        why = "nothing is made of it: it is not used, or nothing of it can be expressed"
        made.append(_row("Programmed", "False", "NothingMade", [*told.errors, *told.losses] or [why]))
    else:
        objects = "1 object" if told.objects == 1 else f"{told.objects} objects"
        made.append(_row("Programmed", "True", "Programmed", [f"{objects} of {mesh} say it"]))
    well = f"{mesh} can say all of it"
    made.append(_condition("FullyExpressed", told.losses, f"UnsupportedBy{_camel(mesh)}", "FullyExpressed", well))
    return made


def merged(
    before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, str]], generation: int
) -> list[dict[str, Any]] | None:
    """The list of conditions to write, those of others kept; None when nothing changes."""
    old = {str(one.get("type")): dict(one) for one in before}
    made = dict(old)
    stamp = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    for one in now:
        last = old.get(one["type"], {})
        moved = last.get("status") != one["status"]
        made[one["type"]] = {
            **one,
            "observedGeneration": generation,
            "lastTransitionTime": stamp if moved else last.get("lastTransitionTime", stamp),
        }
    return None if made == old else list(made.values())


def _condition(kind: str, wrong: list[str], bad: str, good: str, well: str) -> dict[str, str]:
    return _row(kind, "False", bad, wrong) if wrong else _row(kind, "True", good, [well])


def _row(kind: str, status: str, reason: str, said: list[str]) -> dict[str, str]:
    message = "; ".join(said)
    if len(message) > _LONGEST:
        message = f"{message[:_LONGEST]}... ({len(said)} remarks)"
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _camel(mesh: str) -> str:
    return "".join(part.capitalize() for part in mesh.split("-"))
