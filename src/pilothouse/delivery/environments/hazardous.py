"""The hazards of a change to an environment: what was not there before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.hazards.model import Severity

if TYPE_CHECKING:
    from pilothouse.hazards.model import Finding
    from pilothouse.kube import KubeObject

_MOST = 20


@dataclass(frozen=True, slots=True)
class Hazards:
    """`new` are the findings that the change brings, the most severe first; `known` counts those that were there."""

    new: tuple[Finding, ...] = ()
    known: int = 0
    notes: tuple[str, ...] = field(default=())

    def blocking(self, least: Severity = Severity.HIGH) -> tuple[Finding, ...]:
        """Those that should keep the change from going on by itself."""
        return tuple(one for one in self.new if one.severity >= least)

    @property
    def summary(self) -> str:
        """One line, for a commit status."""
        if not self.new:
            return "no new hazards" + (f" ({self.known} known ones)" if self.known else "")
        worst = max(one.severity for one in self.new)
        return f"{len(self.new)} new hazard{'s' if len(self.new) > 1 else ''}, the worst {worst}: {self.new[0].rule.id}"

    def on_lines(self) -> list[tuple[str, int, str]]:
        """File, line and words of those that lie in a file of the repository."""
        return [
            (one.place.file, one.place.line, f"**{one.rule.id}** ({one.severity}): {_text(one.message)}")
            for one in self.new[:_MOST]
            if _where(one)
        ]

    def markdown(self) -> str:
        """For the text of a pull request."""
        if not self.new:
            return f"None that were not there before{f' ({self.known} were)' if self.known else ''}."
        lines = [
            f"- **{one.rule.id}** ({one.severity}) {_text(str(one.subject))}{_where(one)}: {_text(one.message)}"
            for one in self.new[:_MOST]
        ]
        if len(self.new) > _MOST:
            lines.append(f"- and {len(self.new) - _MOST} more")
        return "\n".join(lines)


def hazards_of(before: Sequence[KubeObject], after: Sequence[KubeObject], kubernetes: str = "") -> Hazards:
    """What the rules find in `after`, and in going there from `before`, that they did not find in `before`."""
    from pilothouse.hazards import all_rules, review_objects, settle

    rules = all_rules()
    known = {one.fingerprint for one in settle(review_objects(before, rules, kubernetes), rules).findings}
    review = settle(review_objects(after, rules, kubernetes, against=before), rules)
    new = [one for one in review.findings if one.fingerprint not in known]
    return Hazards(tuple(new), len(review.findings) - len(new), tuple(review.notes))


def _where(found: Finding) -> str:
    """Where to look, for whoever mends it: file and line, as editors and forges read them."""
    file = found.place.file
    # What a chart renders to has lines that nobody sees.
    in_repository = file.endswith((".yaml", ".yml")) and not file.startswith("/")
    return f" in {_text(file)}:{found.place.line}" if in_repository and found.place.line else ""


def _text(value: str) -> str:
    """Text that stays text in Markdown."""
    shown = " ".join(value.split())
    for letter in "\\`*_[]<>|#@":
        shown = shown.replace(letter, f"\\{letter}")
    return shown
