"""Markdown, for a comment on a pull request."""

from __future__ import annotations

import re

from pilothouse.hazards.outputs.grouping import as_dict, by_cause, summary
from pilothouse.hazards.outputs.legible import legible
from pilothouse.hazards.reviewing import Review

_MOST = 20


def write(review: Review) -> str:
    """A section for each cause, with places, evidence and the first fix."""
    lines = ["## Hazards", "", _text(summary(review)), ""]
    for rule, findings in by_cause(review.findings):
        severity = max(one.severity for one in findings)
        lines += [f"### {rule.id} · {_text(rule.title)} ({severity})", "", _text(rule.why), ""]
        for one in findings[:_MOST]:
            place = f"`{_code(str(one.place))}` " if one.place.file else ""
            lines.append(f"- {place}**{_text(str(one.subject))}** ({one.state}): {_text(one.message)}")
            lines += [f"  - {_text(fact)}" for fact in one.evidence]
        if len(findings) > _MOST:
            lines.append(f"- and {len(findings) - _MOST} more")
        lines += ["", f"**What to do:** {_text(rule.advice)}", ""]
        if rule.conflict:
            lines += [f"> Other advice says otherwise: {_text(rule.conflict)}", ""]
        fix = as_dict(review, findings[0])["fix"]
        if fix:
            lines += ["```diff", _code(fix), "```", ""]
    for problem in review.problems:
        lines.append(f"- :x: `{_code(str(problem))}`")
    lines += [f"- {_text(note)}" for note in review.notes]
    return "\n".join(lines).rstrip() + "\n"


def _text(value: str) -> str:
    """Text that stays text: no HTML, no mentions, no emphasis by accident."""
    return re.sub(r"([\\`*_\[\]<>|#@])", r"\\\1", legible(value).replace("\n", " "))


def _code(value: str) -> str:
    return (
        legible(value).replace("```", "'''").replace("`", "'")
        if "\n" not in value
        else legible(value).replace("```", "'''")
    )
