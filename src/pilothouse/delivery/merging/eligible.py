"""Which pull requests may enter the pool, and the exact reason why one may not (Prow, Tide's queries)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pilothouse.delivery.chat.model import Policy, PullRequest

_BLOCKING = "do-not-merge/"


@dataclass(frozen=True, slots=True)
class Query:
    """What a pull request must have and must not have, for branches (none: all)."""

    labels: frozenset[str] = frozenset({"lgtm", "approved"})
    missing_labels: frozenset[str] = frozenset({"needs-rebase", "needs-ok-to-test"})
    branches: frozenset[str] = frozenset()
    excluded_branches: frozenset[str] = frozenset()


def why_not(pull: PullRequest, policy: Policy, queries: Iterable[Query]) -> tuple[str, ...]:
    """The reasons why a pull request does not merge, by the query that it is nearest to; empty when it may."""
    if pull.state != "open":
        return (f"it is {pull.state}",)
    found = [_misses(pull, query) for query in queries]
    if not found:
        return ("no query of the merge pool is configured",)
    reasons = min(found, key=lambda misses: len(misses))
    reasons += [
        f"it has the label {label}" for label in sorted({one.missing_label for one in policy.required_labels})
        if label in pull.labels
    ]  # fmt: skip
    reasons += pull.waits_for
    if pull.conflicts:
        reasons.append(f"it conflicts with {pull.base}")
    trusted = policy.is_trusted(pull.author) or bool(pull.head and pull.trusted_head == pull.head)
    for job in policy.jobs:
        if job.optional or not job.wanted(pull):
            continue
        status = pull.statuses.get(job.reports)
        if status is None:
            ask = job.rerun_command if trusted else "somebody who works here has to look and say /ok-to-test"
            reasons.append(f"{job.reports} has not run: {ask}")
        elif status.state != "success":
            reasons.append(f"{job.reports} is {status.state}{': ' + status.description if status.description else ''}")
    known = {job.reports: job for job in policy.jobs}
    for context, status in sorted(pull.statuses.items()):
        if context not in known and status.state != "success":
            reasons.append(f"{context} is {status.state}")
    return tuple(dict.fromkeys(reasons))


def _misses(pull: PullRequest, query: Query) -> list[str]:
    reasons = []
    if query.branches and pull.base not in query.branches:
        reasons.append(f"nothing is merged into {pull.base}")
    if pull.base in query.excluded_branches:
        reasons.append(f"merging into {pull.base} is switched off")
    reasons += [f"it needs the label {label}" for label in sorted(query.labels - pull.labels)]
    reasons += [f"it must not have the label {label}" for label in sorted(query.missing_labels & pull.labels)]
    reasons += [f"it has the label {label}" for label in sorted(pull.labels) if label.startswith(_BLOCKING)]
    return reasons
