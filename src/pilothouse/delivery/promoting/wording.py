"""What a promotion's pull request says: the intent, what it means for Kubernetes, and the hazards."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilothouse.delivery.environments import Strategy

if TYPE_CHECKING:
    from pilothouse.delivery.environments import Environment
    from pilothouse.delivery.environments.changing import Change
    from pilothouse.delivery.promoting.promotion import Promotion

_RULES = {
    Strategy.AUTO: "merges by itself when all checks are green",
    Strategy.MANUAL: "merges when all checks are green and somebody has approved it",
    Strategy.NEVER: "takes no promotions",
}
_LONGEST = 60_000


def description(promotion: Promotion, environment: Environment, change: Change) -> str:
    """The pull request's text, as Markdown; at most 60,000 characters."""
    parts = [_intent(promotion, environment)]
    if promotion.report:
        parts.append(f"### Why\n\n{promotion.report}")
    if promotion.changes:
        parts.append(f"### Between the versions\n\n{promotion.changes[:8_000]}")
    parts += [f"### In Kubernetes\n\n{_kubernetes(change)}", f"### Hazards\n\n{change.hazards.markdown()}"]
    return "\n\n".join(parts)[:_LONGEST] + "\n"


def commit_message(promotion: Promotion) -> str:
    """The commit's message: `chore`, since it is not to make a release of the repository that it is in."""
    asked = f"\n\nAsked for by {plain(promotion.by)}." if promotion.by else ""
    why = f"\n\nTakes back promotion {promotion.reverts}." if promotion.reverts else ""
    return f"chore(promote): {promotion.title}{why}{asked}\n"


def fenced(text: str, language: str = "") -> str:
    """A block of code that its content cannot close."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def plain(text: str) -> str:
    """Somebody's text as text: no HTML, no mention of people, no new line."""
    return " ".join(text.split()).replace("<", "&lt;").replace("@", "@\u200b")[:200]


def _intent(promotion: Promotion, environment: Environment) -> str:
    rows = [
        ("service", f"`{promotion.service}`"),
        ("version", f"`{promotion.before or 'none'}` → `{promotion.version}`"),
        ("environment", f"`{environment.name}`, which {_RULES[environment.strategy]}"),
    ]
    if environment.rollout is not None and not promotion.reverts and promotion.before:
        rows.append(("traffic", "given step by step; the verdict on each step decides whether it goes on or back"))
    if promotion.by:
        rows.append(("asked for by", plain(promotion.by)))
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)


def _kubernetes(change: Change) -> str:
    lines = []
    if change.how:
        count = f"{change.objects} object{'' if change.objects == 1 else 's'}"
        lines.append(f"{count} change{'s' if change.objects == 1 else ''}; rendered from {', '.join(change.how)}.")
    lines += [f"- Not rendered: {plain(problem)}" for problem in change.problems]
    if change.difference:
        lines += ["", fenced(change.difference, "diff")]
    elif not change.problems:
        lines.append("Nothing differs: no object uses what this file says.")
    return "\n".join(lines)
