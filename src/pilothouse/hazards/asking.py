"""Symptom first: what somebody sees, walked down to what it is, or what it is not, in the order in which to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from pilothouse.hazards.telemetry import Row, Telemetry, TelemetryError

Outcome = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Step:
    """One look: a query, the metric that must be there, and what an answer means."""

    ask: str
    needs: str
    look: str
    means: str


@dataclass(frozen=True, slots=True)
class Symptom:
    """What people say, and the steps in order."""

    name: str
    title: str
    about: str
    says: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A step taken: `yes` with the rows that answer, `no`, or `unknown` with the reason."""

    step: Step
    outcome: Outcome
    rows: tuple[Row, ...] = ()
    reason: str = ""


@cache
def symptoms() -> tuple[Symptom, ...]:
    """All that can be asked about."""
    content = yaml.safe_load((Path(__file__).parent / "symptoms.yaml").read_text())
    return tuple(
        Symptom(
            raw["symptom"],
            raw["title"],
            " ".join(raw["about"].split()),
            tuple(map(str, raw["says"])),
            tuple(map(_step, raw["steps"])),
        )
        for raw in content
    )


def _step(raw: dict[str, str]) -> Step:
    return Step(" ".join(raw["ask"].split()), raw["needs"], raw["look"], raw["means"])


def recognise(text: str) -> Symptom | None:
    """The symptom whose words are most in a sentence; longer words weigh more, so that `dns is slow` is about DNS."""
    said = f" {' '.join(text.lower().split())} "
    scored = [(sum(_weight(word, said) for word in one.says), one) for one in symptoms()]
    best = max(scored, key=lambda pair: pair[0])
    return best[1] if best[0] > 0 else None


# Everything is slow when something is wrong: these say least about where to look.
_VAGUE = frozenset(
    ["slow", "latency", "timeout", "timeouts", "logs", "node", "image", "release", "deploy", "scale", "errors while"]
)


def _weight(word: str, said: str) -> float:
    if f" {word} " not in said and f" {word}s " not in said and (len(word) < 5 or word not in said):
        return 0.0
    return 1.0 if word in _VAGUE else 3.0


def walk(symptom: Symptom, telemetry: Telemetry) -> list[Look]:
    """Take all steps; raises `TelemetryError` when the source does not answer at all."""
    names = telemetry.names()
    looks = []
    for step in symptom.steps:
        if step.needs not in names:
            looks.append(Look(step, "unknown", reason=f"{step.needs} is not collected"))
            continue
        try:
            rows = tuple(telemetry.ask(step.ask))
        except TelemetryError as error:
            looks.append(Look(step, "unknown", reason=str(error)))
            continue
        looks.append(Look(step, "yes" if rows else "no", rows[:10]))
    return looks


def verdict(looks: Sequence[Look]) -> str:
    """One sentence: what it is, what it is not, or that too little is known."""
    found = [look for look in looks if look.outcome == "yes"]
    unknown = [look for look in looks if look.outcome == "unknown"]
    if found:
        return f"It is this: {found[0].step.means}." + (f" And {len(found) - 1} more." if len(found) > 1 else "")
    if len(unknown) == len(looks):
        return "Nothing can be said: none of the metrics is collected."
    if unknown:
        return f"It is none of what could be looked at; {len(unknown)} of {len(looks)} looks lack their metric."
    return "It is none of these: everything that was looked at is calm. Look at the service itself."


def as_dict(symptom: Symptom, looks: Sequence[Look]) -> dict[str, Any]:
    """The walk as data."""
    return {
        "symptom": symptom.name,
        "title": symptom.title,
        "verdict": verdict(looks),
        "looks": [
            {
                "look": look.step.look, "outcome": look.outcome,
                "means": look.step.means if look.outcome == "yes" else "",
                "query": look.step.ask, "reason": look.reason,
                "rows": [{"labels": row.labels, "value": row.value} for row in look.rows],
            }
            for look in looks
        ],
    }  # fmt: skip
