"""Exceptions: findings that somebody decided to live with, for a reason and until a day.

    metadata:
      annotations:
        hazards.pilothouse.dev/except-POD-006: "drains by itself; until 2027-01-31"

The same in a file, for charts that cannot be annotated (`rule`, `kind`, `namespace`, `name`, `reason`, `until`), and
the annotations of kube-linter, Polaris and kube-score, and popeye's spinach.yaml, for teams that come from there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pilothouse.hazards.facts.pods import TEMPLATES
from pilothouse.hazards.model import Finding, Rule
from pilothouse.kube.objects import KubeObject, dig, mapping, mappings, sequence, text_of

PREFIX = "hazards.pilothouse.dev/except-"
_UNTIL = re.compile(r"[;,]?\s*until\s+(\d{4}-\d{2}-\d{2})\s*$", re.IGNORECASE)


@dataclass(slots=True)
class Exemption:
    """One exception: which rules (a pattern of ids) on which objects (patterns), why, and until when."""

    rule: str
    kind: str = "*"
    namespace: str = "*"
    name: str = "*"
    reason: str = ""
    until: date | None = None
    source: str = ""
    audited: bool = True
    used: bool = field(default=False, compare=False)

    def fits(self, finding: Finding) -> bool:
        """Whether it speaks about a finding."""
        subject = finding.subject
        pairs = (
            (finding.rule.id, self.rule), (subject.kind, self.kind), (subject.namespace, self.namespace),
            (subject.name, self.name),
        )  # fmt: skip
        return all(fnmatchcase(value, pattern) for value, pattern in pairs)


def of_object(one: KubeObject, rules: Sequence[Rule]) -> list[Exemption]:
    """The exceptions that an object's annotations, or those of its pod template, ask for."""
    annotations = dict(one.annotations)
    if one.kind in TEMPLATES:
        annotations |= mapping(dig(one.content, *TEMPLATES[one.kind], "metadata", "annotations"))
    if not annotations:
        return []
    found = []
    for name, value in annotations.items():
        text = text_of(value)
        if name.startswith(PREFIX):
            reason, until = _reason(text)
            found.append((name.removeprefix(PREFIX), reason, until, True))
        else:
            found += [(rule, reason, None, False) for rule, reason in _foreign(name, text, rules)]
    return [
        Exemption(rule, one.kind, one.namespace or "*", one.name, reason, until, str(one.place()), ours)
        for rule, reason, until, ours in found
    ]


def _reason(text: str) -> tuple[str, date | None]:
    match = _UNTIL.search(text)
    until = None
    if match:
        try:
            until = date.fromisoformat(match[1])
        except ValueError:
            until = date.min
    return (text[: match.start()] if match else text).strip(" ;,"), until


def _foreign(name: str, value: str, rules: Sequence[Rule]) -> list[tuple[str, str]]:
    """Rules (or `*`) that another tool's annotation switches off, with the reason given there."""
    truth = value.strip().lower() in ("true", "yes", "1")
    if name == "kube-linter.io/ignore-all":
        return [("*", f"kube-linter ignore-all: {value or 'no reason given'}")]
    if name.startswith("ignore-check.kube-linter.io/"):
        return _aliased(f"kube-linter:{name.partition('/')[2]}", value, rules)
    if name == "polaris.fairwinds.com/exempt" and truth:
        return [("*", "polaris exempt")]
    if name.startswith("polaris.fairwinds.com/") and name.endswith("-exempt") and truth:
        return _aliased(f"polaris:{name.partition('/')[2].removesuffix('-exempt')}", "polaris exempt", rules)
    if name == "kube-score/ignore":
        checks = [part.strip() for part in value.split(",") if part.strip()]
        return [pair for check in checks for pair in _aliased(f"kube-score:{check}", "kube-score ignore", rules)]
    return []


def _aliased(alias: str, reason: str, rules: Sequence[Rule]) -> list[tuple[str, str]]:
    return [(rule.id, reason or alias) for rule in rules if alias in rule.aliases]


def from_file(path: Path, rules: Sequence[Rule]) -> list[Exemption]:
    """Exceptions of a file: ours (a list `exceptions`) or popeye's spinach.yaml; raises `ValueError` with the place."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from None
    if isinstance(content, dict) and "popeye" in content:
        return _popeye(content["popeye"], rules, str(path))
    found = []
    for number, raw in enumerate(mappings(mapping(content).get("exceptions"))):
        if not raw.get("rule") or not raw.get("reason"):
            raise ValueError(f"{path}: exception {number + 1} wants `rule` and `reason`")
        until = raw.get("until")
        try:
            day = until if isinstance(until, date) or until is None else date.fromisoformat(str(until))
        except ValueError:
            raise ValueError(f"{path}: exception {number + 1}: `until` is no date: {until}") from None
        kind, namespace, name = (text_of(raw.get(key)) or "*" for key in ("kind", "namespace", "name"))
        found.append(Exemption(str(raw["rule"]), kind, namespace, name, str(raw["reason"]), day, str(path)))
    if not found and not isinstance(mapping(content).get("exceptions"), list):
        raise ValueError(f"{path}: wants a list `exceptions`")
    return found


def _popeye(content: Any, rules: Sequence[Rule], source: str) -> list[Exemption]:
    """popeye's excludes (v0.20 and later): codes and names, global or of one linter."""
    excludes = mapping(mapping(content).get("excludes"))
    groups = [excludes.get("global"), *mapping(excludes.get("linters")).values()]
    found = []
    for group in map(mapping, groups):
        entries = [*mappings(group.get("instances")), group]
        for entry in entries:
            codes = [text_of(code) for code in sequence(entry.get("codes"))]
            wanted = [rule.id for rule in rules if any(f"popeye:{code}" in rule.aliases for code in codes)]
            names = [text_of(name) for name in sequence(entry.get("fqns"))] or ([] if entry is not group else ["*"])
            for rule in wanted or ([] if codes else ["*"] if entry is not group else []):
                for name in names:
                    space, slash, short = name.removeprefix("rx:").replace(".*", "*").strip("^$").partition("/")
                    found.append(
                        Exemption(rule, "*", space if slash else "*", short if slash else space or "*",
                                   "popeye excludes", None, source, False,)
                    )  # fmt: skip
    return found


def decide(
    findings: Iterable[Finding],
    exceptions: Sequence[Exemption],
    today: date | None = None,
    asked: Collection[str] | None = None,
) -> list[str]:
    """Mark the findings that are excepted; returns what is wrong with exceptions (no reason, expired, not used).

    `asked` are the rules that had a chance to speak: of the others nobody knows whether the exception is needed.
    """
    day = today or datetime.now(UTC).date()
    notes: list[str] = []
    by_name: dict[str, list[Exemption]] = {}
    for one in exceptions:
        by_name.setdefault(one.name if "*" not in one.name else "*", []).append(one)
    for finding in findings:
        for one in (*by_name.get(finding.subject.name, ()), *by_name.get("*", ())):
            if not one.fits(finding):
                continue
            one.used = True
            if not one.reason:
                notes.append(f"{one.source}: the exception from {finding.rule.id} gives no reason and is not honoured")
            elif one.until is not None and one.until < day:
                notes.append(f"{one.source}: the exception from {finding.rule.id} ended on {one.until}")
            else:
                finding.excepted = one.reason + (f" (until {one.until})" if one.until else "")
    unused = [
        one for one in exceptions if not one.used and "*" not in one.rule and (asked is None or one.rule in asked)
    ]
    return sorted(set(notes)) + [
        f"{one.source}: the exception from {one.rule} is not needed any more" for one in unused
    ]
