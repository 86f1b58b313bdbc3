"""Whether a promotion's pull request may be merged now, as a pure decision with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pilothouse.delivery.environments import Strategy

# Whoever gives these labels has been checked already: chat commands give them by OWNERS, forges by permission.
APPROVED = frozenset({"approved"})
HELD = "do-not-merge"


@dataclass(frozen=True, slots=True)
class View:
    """A pull request as it is now: `statuses` are states by context, `approvers` those whose approval counts.

    `touched`: somebody has pushed to its branch, so that it is no longer what was worked out and said.
    """

    state: Literal["open", "closed", "merged"] = "open"
    statuses: Mapping[str, str] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()
    approvers: tuple[str, ...] = ()
    objectors: tuple[str, ...] = ()
    draft: bool = False
    mergeable: bool | None = True
    head: str = ""
    touched: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why (for people). `by` is who approved."""

    move: Literal["merge", "wait", "merged", "closed"]
    reason: str = ""
    by: str = ""


def decide(strategy: Strategy, view: View, checks: tuple[str, ...] = (), blocked: str = "") -> Decision:
    """The decision. `blocked` says which hazards stand in the way; an approval lets them pass, Auto never does."""
    if view.state != "open":
        return Decision("merged" if view.state == "merged" else "closed", f"the pull request was {view.state}")
    if waits := _waits(view, checks):
        return Decision("wait", waits)
    approved = bool(view.approvers) or bool(view.labels & APPROVED)
    by = view.approvers[0] if view.approvers else ""
    if view.objectors:
        return Decision("wait", f"{view.objectors[0]} asked for changes")
    if blocked and not approved:
        return Decision("wait", f"waits for an approval because of hazards: {blocked}")
    if view.touched and not approved:
        return Decision("wait", "waits for an approval: somebody has pushed to its branch")
    if strategy is Strategy.MANUAL and not approved:
        return Decision("wait", "waits for an approval")
    if strategy is Strategy.NEVER:
        return Decision("wait", "this environment takes no promotions")
    return Decision("merge", "approved and green" if approved else "green", by)


def _waits(view: View, checks: tuple[str, ...]) -> str:
    if view.draft:
        return "is a draft"
    if held := sorted(label for label in view.labels if label == HELD or label.startswith(HELD + "/")):
        return f"is held by the label {held[0]}"
    failed = sorted(name for name, state in view.statuses.items() if state in ("failure", "error"))
    if failed:
        return f"waits: {failed[0]} failed"
    missing = sorted({*checks} - {name for name, state in view.statuses.items() if state == "success"})
    pending = sorted({name for name, state in view.statuses.items() if state == "pending"} | set(missing))
    if pending:
        return f"waits for {', '.join(pending[:3])}"
    if view.mergeable is False:
        return "does not merge: its branch conflicts with the base; close it and promote again"
    return ""
