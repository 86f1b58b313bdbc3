"""The known ways to get hurt: rules over manifests, a live cluster and telemetry.

A rule (`rules/*.yaml`) says what in a manifest allows a hazard, what in a live cluster shows that it is on, and what
in telemetry proves that it hurts; a finding has one of five states from that, and its severity follows the state. How
rules are written, and how they are asked: `docs/reference/hazards.md`.
"""

from pilothouse.hazards.changing import check_change
from pilothouse.hazards.checking import Compiled, check
from pilothouse.hazards.loading import RuleError, all_rules, own_rules
from pilothouse.hazards.model import Finding, Rule, Severity, State, Subject

__all__ = [
    "Compiled",
    "Finding",
    "Rule",
    "RuleError",
    "Severity",
    "State",
    "Subject",
    "all_rules",
    "check",
    "check_change",
    "own_rules",
]
