"""`/override`, `/override-sticky`, `/override-cancel`: contexts that are made green, or red again, by who may.

Source: Prow's plugin override (kubernetes-sigs/prow `pkg/plugins/override/override.go`). What is overridden is so for
the commit of the base branch that it was said on, as in Prow, where Tide tests anew what was tested on an older one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pilothouse.delivery.chat.effects import Effect, Run, Say, SetStatus
from pilothouse.delivery.chat.model import Event, Policy, PullRequest
from pilothouse.delivery.chat.quoting import quoted
from pilothouse.delivery.chat.reading import Command

PREFIX, STICKY = "Overridden by ", " (stays while the head is this commit)"
_WHILE = ", while the base is at "
_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')


def override(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/override CONTEXT [CONTEXT ...]`, `/override-sticky ...`: administrators and the root's approvers.

    Contexts that are not green; one with spaces is quoted. When one of them is not known, nothing is done.
    """
    if not _may(policy, event):
        yield _refused(command, event)
        return
    wanted = contexts(command.rest)
    failing = {name: name for name in _missing(pull, policy)}
    failing |= {name: name for name, status in pull.statuses.items() if status.state != "success"}
    shown = ", ".join(f"`{name}`" for name in sorted(failing)) or "none"
    # A job may be named too, as in Prow.
    failing |= {job.name: job.reports for job in policy.jobs if job.reports in failing}
    unknown = [name for name in wanted if name not in failing]
    if unknown or not wanted:
        what = f"; not {', '.join(f'`{quoted(name)}`' for name in unknown)}" if unknown else ""
        yield Say(f"`/{command.word}` needs contexts that this commit has and that are not green: {shown}{what}.")
        return
    while_ = f"{_WHILE}{pull.base_sha[:12]}" if pull.base_sha else ""
    words = f"{PREFIX}{event.author}{STICKY if command.word.endswith('sticky') else while_}"
    for context in dict.fromkeys(failing[name] for name in wanted):
        yield SetStatus(context, "success", words)


def cancel(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/override-cancel [CONTEXT]`: what was overridden, all of it or one context, fails again."""
    if not _may(policy, event):
        yield _refused(command, event)
        return
    overridden = sorted(name for name, status in pull.statuses.items() if status.description.startswith(PREFIX))
    wanted = contexts(command.rest) or overridden
    unknown = [name for name in wanted if name not in overridden]
    if unknown or not wanted:
        shown = ", ".join(f"`{name}`" for name in overridden) or "none"
        yield Say(f"`/override-cancel` takes back what was overridden; that is {shown}.")
        return
    for name in wanted:
        yield SetStatus(name, "failure", f"{event.author} took its override back")


def _missing(pull: PullRequest, policy: Policy) -> list[str]:
    """Contexts that the change needs and that nobody has reported."""
    needed = [job.reports for job in policy.jobs if not job.optional and job.wanted(pull)]
    return [name for name in needed if name not in pull.statuses]


def holds(description: str, base: str) -> bool:
    """Whether a status is one that was overridden, and still is with the base branch at a commit."""
    if not description.startswith(PREFIX):
        return False
    _, said, commit = description.partition(_WHILE)
    return not said or not base or base.startswith(commit)


def expired(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    """Overrides that were said on an older commit of the base branch end: their jobs run again."""
    ended = [
        name for name, status in sorted(pull.statuses.items())
        if status.description.startswith(PREFIX) and not holds(status.description, pull.base_sha)
    ]  # fmt: skip
    for name in ended:
        yield SetStatus(name, "failure", f"{pull.base} moved on: {pull.statuses[name].description[:60]} no more")
    jobs = tuple(job.name for job in policy.jobs if job.reports in ended and job.is_for(pull.base))
    if jobs and (policy.is_trusted(pull.author) or pull.trusted_head == pull.head):
        yield Run(jobs, pull.head)


def contexts(text: str) -> list[str]:
    """The names in a line; those with spaces stand in quotes."""
    return list(dict.fromkeys(found[1] or found[2] for found in _WORD.finditer(text) if found[1] or found[2]))


def _may(policy: Policy, event: Event) -> bool:
    owners = policy.owners.root_approvers() if policy.allow_top_level_owners else frozenset()
    return policy.is_admin(event.author) or event.author.lower() in owners


def _refused(command: Command, event: Event) -> Say:
    return Say(
        f"`/{command.word}` is for administrators and approvers of the whole repository, not for @{event.author}."
    )
