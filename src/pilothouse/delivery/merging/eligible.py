"""Which pull requests may enter the pool, and the exact reason why one may not.

Source: Tide's queries (kubernetes-sigs/prow, `pkg/config/tide.go`, and `pkg/tide/status.go` for which of several a pull
request is nearest to).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pilothouse.delivery.chat.model import Job, Policy, PullRequest, same
from pilothouse.delivery.merging.contexts import Contexts

_BLOCKING = "do-not-merge/"
# What is wrong with a pull request weighs so much when it is told which query it is nearest to.
_BRANCH, _AUTHOR, _MILESTONE, _REVIEW, _LABEL = 2000, 1000, 100, 50, 1


@dataclass(frozen=True, slots=True)
class Query:
    """What a pull request must have and must not have, for branches (none: all).

    A label `a,b` asks for one of the two. `approved` asks for a review that approves, by somebody who works here.
    """

    labels: frozenset[str] = frozenset({"lgtm", "approved"})
    missing_labels: frozenset[str] = frozenset({"needs-rebase", "needs-ok-to-test"})
    branches: frozenset[str] = frozenset()
    excluded_branches: frozenset[str] = frozenset()
    author: str = ""
    milestone: str = ""
    approved: bool = False


def why_not(
    pull: PullRequest, policy: Policy, queries: Iterable[Query], contexts: Contexts = Contexts()
) -> tuple[str, ...]:
    """The reasons why a pull request does not merge, by the query that it is nearest to; empty when it may."""
    if pull.state != "open":
        return (f"it is {pull.state}",)
    found = [list(_misses(pull, policy, query)) for query in queries]
    if not found:
        return ("no query of the merge pool is configured",)
    nearest = min(found, key=lambda misses: sum(weight for weight, _ in misses))
    reasons = [words for _, words in nearest]
    reasons += [
        f"it has the label {label}" for label in sorted({one.missing_label for one in policy.required_labels})
        if label in pull.labels
    ]  # fmt: skip
    reasons += pull.waits_for
    if pull.conflicts:
        reasons.append(f"it conflicts with {pull.base}")
    reasons += _jobs(pull, policy)
    reasons += contexts.misses(pull.statuses, (job.reports for job in policy.jobs if job.is_for(pull.base)))
    return tuple(dict.fromkeys(reasons))


def _jobs(pull: PullRequest, policy: Policy) -> Iterator[str]:
    """What its jobs have against it: one that runs by itself has to be green, another when it was run."""
    trusted = policy.is_trusted(pull.author) or bool(pull.head and pull.trusted_head == pull.head)
    for job in policy.jobs:
        status = pull.statuses.get(job.reports)
        if job.optional or not job.is_for(pull.base):
            continue
        if status is None and job.wanted(pull):
            yield f"{job.reports} has not run: {_ask(job, trusted)}"
        elif status is not None and status.state != "success":
            yield f"{job.reports} is {status.state}{': ' + status.description if status.description else ''}"


def _ask(job: Job, trusted: bool) -> str:
    return job.rerun_command if trusted else "somebody who works here has to look and say /ok-to-test"


def _misses(pull: PullRequest, policy: Policy, query: Query) -> Iterator[tuple[int, str]]:
    """What a query asks for and the pull request has not: how much that weighs, and words."""
    if query.branches and pull.base not in query.branches:
        yield _BRANCH, f"nothing is merged into {pull.base}"
    if pull.base in query.excluded_branches:
        yield _BRANCH, f"merging into {pull.base} is switched off"
    if query.author and not same(query.author, pull.author):
        yield _AUTHOR, f"it has to be by {query.author}"
    if query.milestone and query.milestone != pull.milestone:
        yield _MILESTONE, f"it has to be in the milestone {query.milestone}"
    for label in sorted(query.labels):
        if pull.labels.isdisjoint(label.split(",")):
            yield _LABEL, f"it needs the label {label.replace(',', ' or ')}"
    for label in sorted(query.missing_labels & pull.labels):
        yield _LABEL, f"it must not have the label {label}"
    for label in sorted(pull.labels):
        if label.startswith(_BLOCKING):
            yield _LABEL, f"it has the label {label}"
    if query.approved and (reason := _unreviewed(pull, policy)):
        yield _REVIEW, reason


def _unreviewed(pull: PullRequest, policy: Policy) -> str:
    """Why its reviews do not approve it: the newest of each who works here counts, as on GitHub; empty when they do."""
    counts = [
        one for one in pull.reviews
        if one.state != "commented" and policy.is_collaborator(one.author) and not same(one.author, pull.author)
    ]  # fmt: skip
    newest = {one.author.lower(): one for one in counts}
    against = sorted(one.author for one in newest.values() if one.state == "changes_requested")
    if against:
        return f"{', '.join(against)} asked for changes in a review"
    if not any(one.state == "approved" for one in newest.values()):
        return "it needs a review that approves it, by somebody who may write here"
    return ""
