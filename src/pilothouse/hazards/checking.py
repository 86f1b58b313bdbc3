"""The engine: rules over objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilothouse.hazards.embedded import unfold
from pilothouse.hazards.expressions import ExpressionError, bind, compile, hold_all, holds, together
from pilothouse.hazards.facts.world import World
from pilothouse.hazards.model import Finding, Rule, State, Subject
from pilothouse.hazards.schemas import check_schema
from pilothouse.hazards.scopes import Scope, scopes
from pilothouse.hazards.templates import template
from pilothouse.kube.objects import KubeObject


@dataclass
class Compiled:
    """Rules by scope and kind, with their expressions ready."""

    rules: Sequence[Rule]
    by_scope: dict[str, list[Rule]] = field(default_factory=lambda: defaultdict(list))
    # (scope, kind) to the rules that may speak there.
    by_kind: dict[tuple[str, str], list[tuple[Rule, Any, Any]]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    # The same keys to the conditions of those rules in a few expressions.
    joined: dict[tuple[str, str], list[tuple[int, int, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for rule in self.rules:
            self.by_scope[rule.scope].append(rule)
        self.schema = {rule.id: rule for rule in self.by_scope.get("schema", ())}

    def of(self, scope: str, kind: str) -> list[tuple[Rule, Any, Any]]:
        """Each rule with its conditions (manifest, live; None where it has none)."""
        key = (scope, kind)
        found = self.by_kind.get(key)
        if found is None:
            found = [
                (rule, compile(rule.when) if rule.when else None, compile(rule.live) if rule.live else None)
                for rule in self.by_scope.get(scope, ())
                if not rule.kinds or kind in rule.kinds
            ]
            self.by_kind[key] = found
        return found

    def prepare(self, scope: str, kind: str) -> None:
        """Compile now what would be compiled at the first object of a kind."""
        self._joined(scope, kind, self.of(scope, kind))

    def states(self, scope: Scope, kind: str, in_cluster: bool) -> Iterator[tuple[Rule, State]]:
        """The rules of a scope that speak, and what they say."""
        rules = self.of(scope.name, kind)
        for start, end, expression in self._joined(scope.name, kind, rules):
            answers = hold_all(expression, scope.bound) if expression is not None and not in_cluster else None
            if answers is not None:
                yield from ((rules[start + at][0], State.LATENT) for at, holds in enumerate(answers) if holds)
                continue
            for rule, when, live in rules[start:end]:
                state = state_of(rule, when, live, scope.bound, in_cluster, self)
                if state is not None:
                    yield rule, state

    def _joined(self, scope: str, kind: str, rules: list[tuple[Rule, Any, Any]]) -> list[tuple[int, int, Any]]:
        """Which rules (from, to) are asked in one expression: not so many that it is too long for CEL."""
        found = self.joined.get((scope, kind))
        if found is None:
            bounds = [(at, min(at + _TOGETHER, len(rules))) for at in range(0, len(rules), _TOGETHER)]
            found = [(start, end, _as_one([rule for rule, _, _ in rules[start:end]])) for start, end in bounds]
            self.joined[scope, kind] = found
        return found


_TOGETHER = 32


def _as_one(rules: Sequence[Rule]) -> Any:
    """The conditions as one expression; None where they cannot be put together: then each is asked alone."""
    try:
        return together([rule.when or "false" for rule in rules])
    except ExpressionError:
        return None


def check(objects: Sequence[KubeObject], rules: Sequence[Rule] | Compiled, world: World | None = None) -> list[Finding]:
    """All that the rules find in the objects, in their order. `world` when they are part of a larger one."""
    compiled = rules if isinstance(rules, Compiled) else Compiled(rules)
    everything = [*objects, *unfold(objects)]
    around = world or World(everything)
    findings = check_objects(everything, compiled, around)
    return findings + check_world(compiled, around)


def check_objects(objects: Iterable[KubeObject], compiled: Compiled, world: World, start: int = 0) -> list[Finding]:
    """The rules about single objects; a finding's `source` is the object's number in the list, from `start`."""
    findings: list[Finding] = []
    version = f"1.{world.kubernetes:.0f}" if world.kubernetes else ""
    for number, one in enumerate(objects, start):
        for scope in scopes(one, world):
            for rule, state in compiled.states(scope, one.kind, world.live):
                findings.append(finding_of(rule, state, scope, one, number))
        # What a live cluster holds has passed its API server.
        if compiled.schema and not world.live and one.at[-2:-1] != ("data",):
            findings += check_schema(one, compiled.schema, version, number)
    return findings


def check_world(compiled: Compiled, world: World) -> list[Finding]:
    """The rules about all objects together."""
    bound = bind({"world": world.facts})
    scope = Scope("world", bound, Subject(), ())
    findings = []
    for rule, when, live in compiled.of("world", ""):
        state = state_of(rule, when, live, bound, world.live, compiled)
        if state is not None:
            findings.append(finding_of(rule, state, scope, None, -1))
    return findings


def state_of(rule: Rule, when: Any, live: Any, bound: Any, in_cluster: bool, compiled: Compiled) -> State | None:
    """Latent when the manifest allows it, active when the live cluster is in it, else None."""
    if live is not None and in_cluster and _true(rule, live, bound, compiled):
        return State.ACTIVE
    if when is not None and _true(rule, when, bound, compiled):
        return State.LATENT
    return None


def _true(rule: Rule, expression: Any, bound: Any, compiled: Compiled) -> bool:
    answer = holds(expression, bound)
    if isinstance(answer, str):
        # Said once a rule; an object of an odd shape must not hide what other rules see.
        compiled.errors.setdefault(rule.id, answer)
        return False
    return answer


def finding_of(rule: Rule, state: State, scope: Scope, one: KubeObject | None, number: int) -> Finding:
    """A finding with its message filled in and its place looked up."""
    message = template(rule.message).fill(scope.bound) if rule.message else rule.title
    path = scope.path + rule.at
    finding = Finding(rule, scope.subject, state, message, path=path, at=scope.path, source=number)
    if one is not None:
        finding.place = one.place(path)
    return finding
