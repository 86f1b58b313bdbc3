"""The repository and the pull requests that the tables of commands are about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pilothouse.delivery.chat import Event, Job, Policy, PullRequest
from pilothouse.delivery.chat.model import ChangedFile, Status

JOBS = (
    Job("unit", always_run=True),
    Job("lint", always_run=True, optional=True),
    Job("docs", run_if_changed=r"^docs/"),
    Job("e2e", optional=True),
    Job("code", skip_if_only_changed=r"\.md$"),
    Job("release", always_run=True, branches=(r"^release-",)),
    Job("deep", context="ci/deep", optional=True),
    Job("bench", trigger=r"(?m)^/bench\s*$", optional=True),
)
POLICY = Policy(
    collaborators=frozenset({"ann", "bob"}), admins=frozenset({"root"}), members=frozenset({"mia"}),
    labels=frozenset({"kind/bug", "kind/feature", "area/ui", "priority/high", "triage/accepted", "sig/net"}),
    additional_labels=frozenset({"good first change"}),
    restricted_labels={"tide/merge-method-squash": frozenset({"bob"}), "priority/urgent": frozenset({"bob"})},
    milestones=frozenset({"v1.0"}), milestone_maintainers=frozenset({"mia"}),
    branches=frozenset({"main", "release-1.0"}), jobs=JOBS,
)  # fmt: skip
PULL = PullRequest(
    7, "ann", "Faster cart", head="abc1234", labels=frozenset({"size/XS"}), files=(ChangedFile("src/cart.py", 3, 1),),
    commits=("Faster cart",),
)  # fmt: skip
STRANGER = replace(PULL, author="eve", labels=frozenset({"size/XS", "needs-ok-to-test"}))
OK = replace(STRANGER, labels=frozenset({"size/XS", "ok-to-test"}), trusted_head="abc1234")
FAILED = replace(PULL, statuses={"unit": Status("failure"), "lint": Status("error"), "code": Status("success"),
                                 "e2e": Status("failure")})  # fmt: skip


def labelled(*labels: str, **more: Any) -> PullRequest:
    """The pull request with labels."""
    return replace(PULL, labels=PULL.labels | frozenset(labels), **more)


def comment(author: str, text: str) -> Event:
    """A comment."""
    return Event("comment", author, text)


# Event, state, and what is to be done, written short.
Row = tuple[str, PullRequest, Event, set[str]]
