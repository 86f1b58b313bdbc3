"""`/test` and its kin: which jobs run for which commit, and for whom.

Source: Prow's plugins trigger and skip (https://docs.prow.k8s.io/docs/jobs/, kubernetes-sigs/prow
`pkg/plugins/trigger`, `skip/skip.go`); `/cancel` is of Pipelines-as-Code's guide "GitOps commands". That trust is
bound to a commit is our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pilothouse.delivery.chat.effects import Abort, AddLabel, Cancel, Effect, RemoveLabel, Run, Say, SetStatus, Trust
from pilothouse.delivery.chat.model import Event, Job, Policy, PullRequest
from pilothouse.delivery.chat.quoting import quoted
from pilothouse.delivery.chat.reading import Command, commands, plain
from pilothouse.delivery.forges.model import Status

NEEDS_OK, OK = "needs-ok-to-test", "ok-to-test"
_ASKING = frozenset({"test", "retest", "retest-required", "rerun"})
_NOT_GREEN = ("failure", "error")


def is_trusted(pull: PullRequest, policy: Policy) -> bool:
    """Whether this commit may be tested: by who wrote it, or since somebody who may said so of this very commit."""
    return policy.is_trusted(pull.author) or bool(pull.head and pull.trusted_head == pull.head)


def on_opened(pull: PullRequest, policy: Policy, event: Event) -> Iterator[Effect]:
    """A new, reopened or finished draft's change. A draft is tested when somebody asks for it."""
    if is_trusted(pull, policy):
        yield from _by_itself(pull, policy)
        if event.kind == "opened" and not _tested(pull, policy) and _automatic(pull, policy):
            yield Say("A draft is not tested by itself: `/test all` tests it now, or say that it is ready for review.")
    elif NEEDS_OK not in pull.labels:
        yield AddLabel(NEEDS_OK)
        yield Say(
            f"@{pull.author}'s changes are tested once somebody who works here has looked at them and writes "
            "`/ok-to-test`. It holds for the commit that was looked at."
        )


def on_push(pull: PullRequest, policy: Policy, event: Event) -> Iterator[Effect]:
    """New commits end the runs of old ones; an untrusted author's have to be looked at again."""
    yield Abort(pull.head)
    if is_trusted(pull, policy):
        yield from _by_itself(pull, policy)
    elif OK in pull.labels:
        yield RemoveLabel(OK)
        yield AddLabel(NEEDS_OK)
        yield Say("The commits that `/ok-to-test` was said of have changed; somebody has to look at them again.")


def on_edited(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    """Another base branch has other tests, and what was tested was merged onto the old one."""
    if pull.state == "open" and pull.base_before not in ("", pull.base) and is_trusted(pull, policy):
        yield from _by_itself(pull, policy)


def on_draft(pull: PullRequest, policy: Policy, event: Event) -> Iterator[Effect]:
    """What was made a draft is not tested any further."""
    if not _tested(pull, policy):
        yield Cancel((), pull.head, event.author)


def on_closed(pull: PullRequest) -> Iterator[Effect]:
    """Nobody waits for its tests any more."""
    yield Abort(pull.head)


def ok_to_test(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/ok-to-test [COMMIT]`, `/ok-to-test cancel`: of the head, or of the commit that is named."""
    if not policy.is_trusted(event.author):
        yield Say(f"`/ok-to-test` is for people who work here; @{event.author} is none of them.")
        return
    if command.rest.lower() == "cancel":
        yield from (RemoveLabel(label) for label in (OK,) if label in pull.labels)
        yield from (AddLabel(NEEDS_OK) for _ in (1,) if not policy.is_trusted(pull.author))
        yield Trust("")
        return
    if command.rest and not pull.head.startswith(command.rest.lower()):
        yield Say(f"`{command.rest[:40]}` is not the head any more (it is `{pull.head[:10]}`): look at that one.")
        return
    yield Trust(pull.head)
    if NEEDS_OK in pull.labels:
        yield RemoveLabel(NEEDS_OK)
    if OK not in pull.labels:
        yield AddLabel(OK)
    yield from _run(pull, _automatic(pull, policy))


def on_comment(pull: PullRequest, policy: Policy, event: Event, found: list[Command]) -> Iterator[Effect]:
    """All of a comment's `/test`, `/retest` and own triggers together: each job runs once."""
    if pull.state != "open":
        return
    text = plain(event.text).strip()
    asking = [command for command in found if command.word in _ASKING]
    own = [job for job in policy.jobs if job.trigger and job.asked_by(text)]
    if not asking and not own:
        return
    if not is_trusted(pull, policy) and not policy.is_trusted(event.author):
        yield Say("It cannot be tested until somebody who works here has looked at it and writes `/ok-to-test`.")
        return
    if not is_trusted(pull, policy):
        yield Say("It is an untrusted author's change: `/ok-to-test` says that this commit may be tested.")
        return
    wanted: dict[str, Job] = {job.name: job for job in own if job.is_for(pull.base)}
    unknown = False
    for command in asking:
        jobs = _asked(pull, policy, command, text)
        unknown = unknown or jobs is None
        wanted |= {job.name: job for job in jobs or ()}
    if unknown:
        yield Say(_offer(pull, policy))
    yield from _run(pull, wanted.values())


def skip(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/skip`: optional jobs that failed or wait no longer stand in the way; what the same comment tests is tested."""
    if command.rest:
        yield Say("`/skip` takes no name: it is for all optional tests that are not green.")
        return
    text = plain(event.text).strip()
    tested = {job.name for one in commands(event.text) if one.word in _ASKING
              for job in _asked(pull, policy, one, text) or ()}  # fmt: skip
    for job in policy.jobs:
        status = pull.statuses.get(job.reports)
        if status and status.state != "success" and job.optional and job.name not in tested:
            yield SetStatus(job.reports, "success", f"Skipped by {event.author}")


def cancel(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/cancel [JOB ...]`: ends what runs for the head, all of it or these jobs; who may test may end it."""
    if not policy.is_trusted(event.author):
        yield Say(f"`/cancel` is for people who work here; @{event.author} is none of them.")
        return
    names = tuple(dict.fromkeys(word.rstrip(",") for word in command.words))
    known = {job.name for job in policy.jobs}
    if unknown := [name for name in names if name not in known]:
        shown = ", ".join(f"`{name}`" for name in sorted(known)) or "none"
        yield Say(f"There is no job {', '.join(f'`{quoted(name)}`' for name in unknown)} to end; there are {shown}.")
        return
    yield Cancel(names, pull.head, event.author)


def _asked(pull: PullRequest, policy: Policy, command: Command, text: str) -> list[Job] | None:
    """The jobs that one command asks for; None when it asks for help, or for none that there is."""
    here = [job for job in policy.jobs if job.is_for(pull.base)]
    if command.word == "rerun" or command.word.startswith("retest"):
        if command.rest:
            return None
        again = [job for job in here if _failed(pull.statuses.get(job.reports))]
        again += [job for job in _automatic(pull, policy) if job.reports not in pull.statuses]
        return [job for job in again if not (command.word == "retest-required" and job.optional)]
    if command.rest.rstrip(",").lower() == "all":
        return _automatic(pull, policy) or None
    names = {word.rstrip(",") for word in command.words}
    found = [job for job in here if job.name in names]
    return found if found and names <= {job.name for job in found} else found or None


def _failed(status: Status | None) -> bool:
    return status is not None and status.state in _NOT_GREEN


def _tested(pull: PullRequest, policy: Policy) -> bool:
    """Whether it is tested by itself as it is."""
    return policy.test_drafts or not pull.draft


def _by_itself(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    if _tested(pull, policy):
        yield from _run(pull, _automatic(pull, policy))


def _automatic(pull: PullRequest, policy: Policy) -> list[Job]:
    return [job for job in policy.jobs if job.wanted(pull)]


def _run(pull: PullRequest, jobs: Iterable[Job]) -> Iterator[Effect]:
    names = tuple(dict.fromkeys(job.name for job in jobs))
    if names:
        yield Run(names, pull.head)


def _offer(pull: PullRequest, policy: Policy) -> str:
    here = [job for job in policy.jobs if job.is_for(pull.base)]
    if not here:
        return f"There are no tests for changes of `{pull.base}`."
    lines = ["These tests can be asked for here:"]
    for title, optional in (("required", False), ("optional", True)):
        lines += [f"- `{job.rerun_command}` ({title})" for job in here if job.optional is optional]
    return "\n".join([*lines, "`/test all` asks for those that run by themselves, `/retest` for those that failed."])
