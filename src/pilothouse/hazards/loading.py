"""Rule files into rules: ours, and a user's in the same form.

family: dns
rules:
  - id: DNS-001
    title: ...
    severity: medium          # what a manifest alone is worth
    hurting: high             # what it is worth when telemetry proves it
    scope: container          # object, pod, container, world, change
    kinds: [Deployment]       # empty: all that the scope fits
    when: container.limits.cpu < 0.1
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pilothouse.hazards.expressions import ExpressionError, compile
from pilothouse.hazards.model import Rule, Severity, State, TelemetryProof
from pilothouse.hazards.templates import Template
from pilothouse.kube.objects import mappings, sequence

_HERE = Path(__file__).parent / "rules"
SCOPES = ("object", "pod", "container", "world", "change", "telemetry", "schema")
_ID = re.compile(r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-\d{3}")
_KNOWN = {
    "id", "title", "severity", "hurting", "why", "sources", "scope", "kinds", "when", "live", "at", "message", "advice",
    "patch", "safe", "ways", "warnings", "telemetry", "conflicts_with", "conflict", "aliases", "also", "examples",
    "verified", "unread",
}  # fmt: skip
WARNINGS = ("daemonsets", "dns", "cloud", "isolation")


class RuleError(ValueError):
    """A rule file that cannot be used; the message names file, rule and field."""


@cache
def own_rules() -> tuple[Rule, ...]:
    """All rules that come with Pilothouse, in the order of their files and ids."""
    found = [rule for path in sorted(_HERE.glob("*.yaml")) for rule in load_rules(path)]
    return tuple(_checked(found))


def load_rules(path: Path) -> list[Rule]:
    """The rules of one file; raises `RuleError`."""
    try:
        content = yaml.load(path.read_text(), yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"{path}: {error}") from None
    except yaml.YAMLError as error:
        raise RuleError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or not isinstance(content.get("rules"), list):
        raise RuleError(f"{path}: wants `family: NAME` and a list `rules:`")
    family = str(content.get("family") or path.stem)
    return [_rule(raw, family, path) for raw in content["rules"]]


def all_rules(paths: Iterable[Path] = ()) -> tuple[Rule, ...]:
    """Ours and the user's; a user's rule with the id of one of ours takes its place."""
    more = [rule for path in paths for rule in load_rules(path)]
    replaced = {rule.id for rule in more}
    return (*(rule for rule in own_rules() if rule.id not in replaced), *_checked(more))


def _checked(rules: list[Rule]) -> list[Rule]:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise RuleError(f"rule {rule.id} is there twice")
        seen.add(rule.id)
    return rules


def _rule(raw: Any, family: str, path: Path) -> Rule:
    if not isinstance(raw, dict):
        raise RuleError(f"{path}: a rule is a mapping, not {type(raw).__name__}")
    name = str(raw.get("id", ""))
    place = f"{path}: rule {name or '(no id)'}"
    if unknown := sorted(set(map(str, raw)) - _KNOWN):
        raise RuleError(f"{place}: no such field: {', '.join(unknown)}; there are: {', '.join(sorted(_KNOWN))}")
    if not _ID.fullmatch(name):
        raise RuleError(f"{place}: `id` wants letters, a dash and three digits: SHOP-001")
    for field in ("title", "severity", "scope", "why"):
        if not raw.get(field):
            raise RuleError(f"{place}: `{field}` is missing")
    if raw["scope"] not in SCOPES:
        raise RuleError(f"{place}: `scope` is one of {', '.join(SCOPES)}")
    try:
        severity = Severity.of(str(raw["severity"]))
        hurting = Severity.of(str(raw.get("hurting") or Severity(min(severity + 1, Severity.CRITICAL)).name))
    except KeyError as error:
        raise RuleError(f"{place}: severity {error.args[0].lower()!r}: info, low, medium, high or critical") from None
    for field in ("when", "live"):
        _compiled(raw.get(field), f"{place}: `{field}`")
    message = str(raw.get("message") or "")
    try:
        Template(message)
    except ExpressionError as error:
        raise RuleError(f"{place}: `message`: {error}") from None
    return Rule(
        id=name,
        family=family,
        title=str(raw["title"]).strip(),
        severity=severity,
        hurting=hurting,
        why=" ".join(str(raw["why"]).split()),
        sources=tuple(map(str, sequence(raw.get("sources")))),
        verified=str(raw.get("verified") or ""),
        unread=tuple(map(str, sequence(raw.get("unread")))),
        scope=str(raw["scope"]),
        kinds=frozenset(map(str, sequence(raw.get("kinds")))),
        when=str(raw.get("when") or ""),
        live=str(raw.get("live") or ""),
        at=tuple(int(step) if step.isdigit() else step for step in str(raw.get("at") or "").split(".") if step),
        message=message,
        advice=" ".join(str(raw.get("advice") or "").split()),
        patch=raw.get("patch"),
        safe=raw.get("safe") is True,
        ways=tuple(sequence(raw.get("ways"))),
        warnings=tuple(map(str, sequence(raw.get("warnings")))),
        telemetry=tuple(_proof(one, place) for one in mappings(raw.get("telemetry"))),
        conflicts_with=tuple(map(str, sequence(raw.get("conflicts_with")))),
        conflict=" ".join(str(raw.get("conflict") or "").split()),
        aliases=tuple(map(str, sequence(raw.get("aliases")))),
        also=tuple(map(str, sequence(raw.get("also")))),
        examples={str(key): list(value) for key, value in (raw.get("examples") or {}).items()},
    )


def _proof(raw: dict[str, Any], place: str) -> TelemetryProof:
    if not raw.get("query") or not raw.get("needs"):
        raise RuleError(f"{place}: `telemetry` wants `query` and `needs` (the metrics it reads)")
    state = str(raw.get("state") or State.HURTING)
    if state not in (State.ACTIVE, State.HURTING):
        raise RuleError(f"{place}: `state` of telemetry is `hurting` or `active`")
    return TelemetryProof(
        query=" ".join(str(raw["query"]).split()),
        needs=tuple(map(str, sequence(raw["needs"]))),
        collector=str(raw.get("collector") or ""),
        refutes=raw.get("refutes") is True,
        confirms=raw.get("confirms") is True,
        state=State(state),
        hurts=_series(raw.get("hurts")),
        calm=_series(raw.get("calm")),
    )


def _series(raw: Any) -> tuple[tuple[str, ...], ...]:
    """Example series: a list of examples, or one example as a plain list."""
    given = sequence(raw)
    examples = given if all(isinstance(one, list) for one in given) else [list(given)]
    return tuple(tuple(map(str, one)) for one in examples)


def _compiled(text: Any, place: str) -> None:
    if text:
        try:
            compile(str(text))
        except ExpressionError as error:
            raise RuleError(f"{place}: {error}") from None
