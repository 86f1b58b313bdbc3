"""Rules over a change: the objects before and after, paired by group, kind, namespace and name."""

from __future__ import annotations

from collections.abc import Sequence

from pilothouse.hazards.checking import Compiled, finding_of, state_of
from pilothouse.hazards.embedded import unfold
from pilothouse.hazards.facts.world import World
from pilothouse.hazards.model import Finding
from pilothouse.hazards.scopes import sides
from pilothouse.kube.objects import KubeObject

Pair = tuple[KubeObject | None, KubeObject | None]


def pairs(before: Sequence[KubeObject], after: Sequence[KubeObject]) -> list[Pair]:
    """Each object with what it was; None where it is new or gone. The order is that of `after`, then what is gone."""
    old = {one.key: one for one in before}
    matched = [(old.pop(one.key, None), one) for one in after]
    return [*matched, *((one, None) for one in old.values())]


def check_change(
    before: Sequence[KubeObject], after: Sequence[KubeObject], compiled: Compiled, world: World | None = None
) -> list[Finding]:
    """What the change rules find. A finding's `source` is the object's number in `after`, -1 for one that is gone."""
    was = World([*before, *unfold(before)])
    becomes = world or World([*after, *unfold(after)])
    numbers = {id(one): number for number, one in enumerate(after)}
    findings = []
    for old, new in pairs(before, after):
        if old is not None and new is not None and old.content == new.content:
            continue
        known = new or old
        assert known
        rules = compiled.of("change", known.kind)
        if not rules:
            continue
        scope = sides(old, new, was, becomes)
        for rule, when, live in rules:
            state = state_of(rule, when, live, scope.bound, becomes.live, compiled)
            if state is not None:
                findings.append(finding_of(rule, state, scope, known, numbers.get(id(new), -1)))
    return findings
