"""The nouns: a rule, a finding, its state and its severity."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from pilothouse.kube.objects import Path, Place


class Severity(IntEnum):
    """How much it hurts when it happens."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @classmethod
    def of(cls, text: str) -> Severity:
        """From its name; raises `KeyError`."""
        return cls[text.upper()]

    def __str__(self) -> str:
        return self.name.lower()


class State(StrEnum):
    """What is known about a finding.

    A manifest allows it (`latent`), the cluster is in it (`active`), telemetry proves it (`hurting`), telemetry says
    that it does not apply here (`refuted`), or the telemetry that would decide is missing (`not evaluable`).
    """

    LATENT = "latent"
    ACTIVE = "active"
    HURTING = "hurting"
    REFUTED = "refuted"
    NOT_EVALUABLE = "not evaluable"


@dataclass(frozen=True, slots=True)
class TelemetryProof:
    """A PromQL question whose answers prove a rule, or by their absence refute it.

    `needs` are the metrics without which silence means nothing; `collector` says who exports them. `refutes`: an empty
    answer for an object means that the hazard does not apply to it; that no incident is seen just now does not mean
    that. `confirms`: an answer counts only where a manifest or the cluster shows the hazard too, since it has other
    causes as well. `state` is what an answer makes of a finding: that it hurts, or only that the cluster is in it.
    `hurts` and `calm` are examples, each a set of series in Prometheus' notation.
    """

    query: str
    needs: tuple[str, ...]
    collector: str
    refutes: bool = False
    confirms: bool = False
    state: State = State.HURTING
    hurts: tuple[tuple[str, ...], ...] = ()
    calm: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One hazard. `when`, `live` and `message` are CEL; `scope` says over what (see `hazards/scopes.py`).

    `ways` are the numbers of the talk's ten ways, `warnings` the names of its four warnings that the rule covers.
    """

    id: str
    family: str
    title: str
    severity: Severity
    hurting: Severity
    why: str
    sources: tuple[str, ...]
    scope: str
    kinds: frozenset[str] = frozenset()
    when: str = ""
    live: str = ""
    at: Path = ()
    message: str = ""
    advice: str = ""
    patch: Any = None
    safe: bool = False
    # The day on which somebody last held the rule against its sources; empty: not yet.
    verified: str = ""
    # Those of the sources that could not be opened or were not, so that nothing is held against them.
    unread: tuple[str, ...] = ()
    ways: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    telemetry: tuple[TelemetryProof, ...] = ()
    conflicts_with: tuple[str, ...] = ()
    conflict: str = ""
    aliases: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    examples: dict[str, list[Any]] = field(default_factory=dict, repr=False, hash=False, compare=False)

    @property
    def active(self) -> Severity:
        """Severity when the cluster is in it."""
        return max(self.severity, Severity(max(self.hurting - 1, 0)))


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about: an object (and a container in it), or a node, or (all empty) the cluster."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    container: str = ""

    def __str__(self) -> str:
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        text = f"{self.kind} {name}".strip() or "the cluster"
        return f"{text} [{self.container}]" if self.container else text


@dataclass(slots=True)
class Finding:
    """A rule that speaks about a subject. `evidence` are facts in words, `missing` metrics that were not there."""

    rule: Rule
    subject: Subject
    state: State
    message: str
    place: Place = field(default_factory=lambda: Place(""))
    path: Path = ()
    at: Path = ()
    evidence: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    source: int = -1
    excepted: str = ""

    @property
    def severity(self) -> Severity:
        """Follows the state: what a manifest merely allows weighs less than what telemetry proves."""
        if self.state is State.HURTING:
            return max(self.rule.hurting, self.rule.severity)
        if self.state is State.ACTIVE:
            return self.rule.active
        return Severity.INFO if self.state is State.REFUTED else self.rule.severity

    @property
    def fingerprint(self) -> str:
        """The same for the same hazard in the same object, whatever line it is on and whatever its state."""
        import hashlib

        subject = self.subject
        parts = (self.rule.id, subject.kind, subject.namespace, subject.name, subject.container, _steps(self.path))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _steps(path: Path) -> str:
    return ".".join(map(str, path))
