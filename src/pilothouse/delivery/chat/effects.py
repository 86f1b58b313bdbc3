"""What is to be done on a forge. Each is safe to do twice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AddLabel:
    name: str


@dataclass(frozen=True, slots=True)
class RemoveLabel:
    name: str


@dataclass(frozen=True, slots=True)
class Say:
    """A comment; the text of others in it is quoted, never run."""

    text: str


@dataclass(frozen=True, slots=True)
class Assign:
    logins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unassign:
    logins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestReview:
    logins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnrequestReview:
    logins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Run jobs for a commit; it is the commit that was looked at, not whatever is there later."""

    jobs: tuple[str, ...]
    commit: str


@dataclass(frozen=True, slots=True)
class Trust:
    """This commit of an untrusted author may be tested."""

    commit: str


@dataclass(frozen=True, slots=True)
class Abort:
    """End runs of commits before this one."""

    commit: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the runs of these jobs (none: of all) for this commit, since somebody asked for it."""

    jobs: tuple[str, ...]
    commit: str
    by: str


@dataclass(frozen=True, slots=True)
class SetStatus:
    context: str
    state: str
    description: str


@dataclass(frozen=True, slots=True)
class Close:
    pass


@dataclass(frozen=True, slots=True)
class Reopen:
    pass


@dataclass(frozen=True, slots=True)
class Retitle:
    title: str


@dataclass(frozen=True, slots=True)
class CherryPick:
    """Put the change on another branch; the new pull request is assigned to who asked for it."""

    branch: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class SetMilestone:
    """Empty clears it."""

    title: str


@dataclass(frozen=True, slots=True)
class Explain:
    """Answer why this does not merge, from the records."""


Effect = (
    AddLabel | RemoveLabel | Say | Assign | Unassign | RequestReview | UnrequestReview | Run | Trust | Abort | Cancel
    | SetStatus
    | Close | Reopen | Retitle | CherryPick | SetMilestone | Explain
)  # fmt: skip
