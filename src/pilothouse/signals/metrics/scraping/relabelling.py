"""`relabel_configs`: rules that change, keep or drop label sets.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pilothouse.signals.metrics.promql.labels import is_label
from pilothouse.signals.metrics.promql.matcher import RegexError, compiled
from pilothouse.signals.metrics.promql.relabelling import expanded

_ACTIONS = (
    "replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop", "labelkeep", "lowercase",
    "uppercase",
)  # fmt: skip
_NEED_TARGET = ("replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal")


class Relabelling(BaseModel):
    """One rule."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    source_labels: list[str] = Field(default_factory=list)
    separator: str = ";"
    target_label: str = ""
    regex: str = "(.*)"
    modulus: int = 0
    replacement: str = "$1"
    action: str = "replace"

    @model_validator(mode="before")
    @classmethod
    def _lowered(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("action"), str):
            return {**values, "action": values["action"].lower()}
        return values

    @model_validator(mode="after")
    def _sound(self) -> Relabelling:
        if self.action not in _ACTIONS:
            raise ValueError(f'unknown relabel action "{self.action}"')
        if self.action in _NEED_TARGET and not self.target_label:
            raise ValueError(f"relabel configuration for {self.action} action requires 'target_label' value")
        if self.action == "hashmod" and self.modulus <= 0:
            raise ValueError("relabel configuration for hashmod requires non-zero modulus")
        try:
            compiled(self.regex)
        except RegexError as error:
            raise ValueError(str(error)) from None
        return self


def relabelled(labels: dict[str, str], rules: Iterable[Relabelling]) -> dict[str, str] | None:
    """The labels after all rules, None when they were dropped. Labels without a value are not there."""
    labels = dict(labels)
    for rule in rules:
        if not _applied(labels, rule):
            return None
    return {name: value for name, value in labels.items() if value}


def _applied(labels: dict[str, str], rule: Relabelling) -> bool:
    """Change `labels`; False when they are to be dropped."""
    value = rule.separator.join(labels.get(name, "") for name in rule.source_labels)
    pattern: Any = compiled(rule.regex)
    match rule.action:
        case "keep":
            return pattern.fullmatch(value) is not None
        case "drop":
            return pattern.fullmatch(value) is None
        case "keepequal":
            return labels.get(rule.target_label, "") == value
        case "dropequal":
            return labels.get(rule.target_label, "") != value
        case "replace":
            _replace(labels, rule, pattern.fullmatch(value))
        case "lowercase":
            labels[rule.target_label] = value.lower()
        case "uppercase":
            labels[rule.target_label] = value.upper()
        case "hashmod":
            digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
            labels[rule.target_label] = str(int.from_bytes(digest[8:], "big") % rule.modulus)
        case "labelmap":
            for name in list(labels):
                if found := pattern.fullmatch(name):
                    labels[expanded(rule.replacement, found)] = labels[name]
        case "labeldrop" | "labelkeep":
            for name in list(labels):
                if (pattern.fullmatch(name) is not None) == (rule.action == "labeldrop"):
                    del labels[name]
    return True


def _replace(labels: dict[str, str], rule: Relabelling, found: Any) -> None:
    if found is None:
        return
    target = expanded(rule.target_label, found)
    if not is_label(target):
        return
    result = expanded(rule.replacement, found)
    if result:
        labels[target] = result
    else:
        labels.pop(target, None)
