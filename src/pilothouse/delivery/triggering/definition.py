"""One job as a repository defines it, whatever the format: when it runs and what it runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pilothouse.delivery.chat.model import Job, PullRequest
from pilothouse.delivery.forges import ChangedFile
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.triggering.as_code import Conditions
from pilothouse.delivery.triggering.occasion import Occasion

Kind = Literal["presubmit", "postsubmit", "periodic"]


@dataclass(frozen=True, slots=True)
class Definition:
    """`document` is what runs, `documents` what it may refer to; `source` is the file that says so.

    `conditions` are Pipelines-as-Code's, where it is defined by them; else `job` has Prow's. `tests` are the kinds of
    occasion it may be for. `most` bounds how many of it run at once (0: no bound), `keep` how many finished ones stay.
    """

    job: Job
    kind: Kind
    source: str
    document: Document
    documents: tuple[Document, ...] = ()
    conditions: Conditions | None = None
    most: int = 0
    keep: int = 0
    cancels: bool = False
    schedule: str = ""
    branch: str = ""

    @property
    def name(self) -> str:
        """The job's name."""
        return self.job.name

    def why_not(self, occasion: Occasion) -> str:
        """Why it does not run by itself on this occasion; empty when it does. Raises `CelError`."""
        if self.conditions is not None:
            return self.conditions.why_not(occasion)
        if self.kind == "periodic":
            return f"it runs by the clock: {self.schedule}"
        if (self.kind == "presubmit") is not (occasion.event == "pull_request"):
            return f"it is a {self.kind}, this is a {occasion.event}"
        return why_not(self.job, occasion)

    def job_for(self, occasion: Occasion) -> Job:
        """The job as chat sees it for one pull request: what Pipelines-as-Code would match runs by itself."""
        if self.conditions is None:
            return self.job
        return replace(self.job, always_run=not self.conditions.why_not(occasion))


def why_not(job: Job, occasion: Occasion) -> str:
    """Why one of Prow's jobs does not run by itself; empty when it does."""
    branch = occasion.target_branch
    if not job.is_for(branch):
        if job.branches:
            return f"it is for branches that match {', '.join(job.branches)}, not for {branch}"
        return f"it is not for {branch}"
    changed = tuple(ChangedFile(path) for path in occasion.files.all)
    if job.wanted(PullRequest(occasion.number, occasion.sender, base=branch, files=changed)):
        return ""
    if job.run_if_changed:
        return f"no changed file matches run_if_changed {job.run_if_changed}"
    if job.skip_if_only_changed:
        return f"all changed files match skip_if_only_changed {job.skip_if_only_changed}"
    if job.run_before_merge:
        return f"it runs in the merge pool, or when asked for: {job.rerun_command}"
    return f"it runs only when asked for: {job.rerun_command}"
