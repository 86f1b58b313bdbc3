"""The known ways to get hurt: rules over manifests, a live cluster and telemetry.

A rule (`rules/*.yaml`) says what in a manifest allows a hazard, what in a live cluster shows that it is on, and what
in telemetry proves that it hurts; a finding has one of five states from that, and its severity follows the state. How
rules are written, and how they are asked: `docs/reference/hazards.md`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilothouse.hazards.changing import check_change
    from pilothouse.hazards.checking import Compiled, check
    from pilothouse.hazards.loading import RuleError, all_rules, own_rules
    from pilothouse.hazards.model import Finding, Rule, Severity, State, Subject
    from pilothouse.hazards.reviewing import Review, review_files, review_objects, settle

__all__ = [
    "Compiled",
    "Finding",
    "Review",
    "Rule",
    "RuleError",
    "Severity",
    "State",
    "Subject",
    "all_rules",
    "check",
    "check_change",
    "own_rules",
    "review_files",
    "review_objects",
    "settle",
]

_HOMES = {
    "changing": ("check_change",),
    "checking": ("Compiled", "check"),
    "loading": ("RuleError", "all_rules", "own_rules"),
    "model": ("Finding", "Rule", "Severity", "State", "Subject"),
    "reviewing": ("Review", "review_files", "review_objects", "settle"),
}


def __getattr__(name: str) -> Any:
    # The server starts without CEL, which only a check needs.
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"pilothouse.hazards.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
