"""What is kept of jobs, pull requests and decisions, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

JobState = Literal["starting", "running", "success", "failure", "error", "aborted"]
JobKind = Literal["presubmit", "postsubmit", "periodic", "batch"]
OPEN: tuple[JobState, ...] = ("starting", "running")


@dataclass(frozen=True, slots=True)
class KeptJob:
    """A job that was started. `given` is what its run needs besides its documents: directory, variables, texts."""

    uid: str
    forge: str
    repository: str
    number: int
    kind: JobKind
    job: str
    context: str
    branch: str
    head: str
    base: str
    revision: str
    run: str
    state: JobState = "starting"
    reported: str = ""
    description: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    created: float = 0.0
    finished: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As the API answers it."""
        from pilothouse.signals.timerange import to_rfc3339

        def moment(seconds: float) -> str | None:
            return to_rfc3339(int(seconds * 1e9)) if seconds else None

        return {
            "uid": self.uid, "repository": self.repository, "number": self.number or None, "kind": self.kind,
            "job": self.job, "context": self.context, "branch": self.branch, "head": self.head, "base": self.base,
            "revision": self.revision, "run": self.run, "state": self.state, "description": self.description,
            "created": moment(self.created), "finished": moment(self.finished),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeptPull:
    """What is known of a pull request; `why` are the reasons why it does not merge, empty when it may."""

    forge: str
    repository: str
    number: int
    trusted_head: str = ""
    state: str = "open"
    title: str = ""
    author: str = ""
    base: str = ""
    head: str = ""
    url: str = ""
    labels: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    updated: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As the API answers it."""
        from pilothouse.signals.timerange import to_rfc3339

        return {
            "forge": self.forge, "repository": self.repository, "number": self.number, "state": self.state,
            "title": self.title, "author": self.author, "base": self.base, "head": self.head, "url": self.url,
            "labels": list(self.labels), "why": list(self.why), "trusted_head": self.trusted_head or None,
            "updated": to_rfc3339(int(self.updated * 1e9)),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """What an event led to: `records` has a sentence for each thing that was looked at, `effects` what was done."""

    id: int
    forge: str
    delivery: str
    repository: str
    number: int
    at: float
    kind: str
    author: str
    head: str
    records: tuple[dict[str, str], ...] = ()
    effects: tuple[tuple[str, str, str], ...] = ()
    snapshot: str = ""


@dataclass(frozen=True, slots=True)
class Nudge:
    """What one process asks of the one that drives a branch's pool: see `tables.NUDGES`."""

    id: int
    forge: str
    repository: str
    branch: str
    number: int
    again: bool
