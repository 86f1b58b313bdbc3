"""Jobs: written down, checked out, started, followed, ended, and reported to the forge as statuses.

A job's UID follows from what asked for it, so that it is started once however often the event is worked on. What a job
needs is kept with it: a process that is killed between writing it down and starting it is made up for by the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import structlog

from pilothouse.control.owning import alive
from pilothouse.delivery.acting.cataloguing import catalogued
from pilothouse.delivery.acting.claiming import Presence
from pilothouse.delivery.acting.confining import Confined, Walls, sandbox
from pilothouse.delivery.acting.mirror import GitError, Mirror
from pilothouse.delivery.acting.records import OPEN, JobKind, JobState, KeptJob
from pilothouse.delivery.acting.store import DeliveryStore
from pilothouse.delivery.acting.target import Target
from pilothouse.delivery.acting.workspace import bind
from pilothouse.delivery.forges import Forge, ForgeError, Status
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.engine import Options, Run, to_run
from pilothouse.delivery.pipelines.errors import PipelineError
from pilothouse.delivery.pipelines.queueing import GROUP, HOW
from pilothouse.delivery.triggering import Definition, Occasion, UntrustedError, build
from pilothouse.delivery.triggering.celling import CelError
from pilothouse.delivery.triggering.remote import remote

log = structlog.get_logger(__name__)
_NAMES = uuid.UUID("6f1d2c1e-4e0a-4c53-9d5b-6a1f7c0f9b11")
# How a run ends that was not ended by us, nor by itself: its process was stopped or killed.
_NOT_ITS_DOING = ("Cancelled", "TaskRunCancelled", "Interrupted")
_LONGEST_STATUS = 140
_STATES = {"success": "success", "failure": "failure", "error": "error", "aborted": "error"}


class Runs(Protocol):
    """What runs documents: the pipelines' server."""

    def launch(self, document: Document, documents: list[Document], run: Run, ended: Callable[[Run], None]) -> None:
        """Start a run; `ended` is called when it is over, on a thread of its own choice."""

    def end(self, uid: str, how: str = "Cancelled") -> None:
        """Ask a run to end."""

    def kept(self, uid: str) -> Any:
        """The run as it is kept (`KeptRun`), or None."""

    def recover(self) -> None:
        """Take up what processes of this machine left that are gone."""

    def forget(self, uid: str) -> None:
        """Keep nothing of a run that is over."""


def job_uid(*parts: str) -> str:
    """The UID of a job by what asked for it."""
    return str(uuid.uuid5(_NAMES, "\n".join(parts)))


class Jobs:
    """All jobs of all forges."""

    def __init__(
        self, store: DeliveryStore, runs: Runs, directory: Path, forges: Mapping[str, Forge],
        page: Callable[[str], str] = lambda run: "", ended: Callable[[KeptJob], None] = lambda job: None,
        strangers: Walls = "sandbox", members: Walls = "process", presence: Presence | None = None,
    ) -> None:  # fmt: skip
        """Checkouts are in `directory`; `page` is the address of a run's page; `ended` hears of jobs that ended.

        `strangers` is where jobs for changes of people run who do not work in the repository, `members` all others.
        """
        self._store, self._runs, self._directory, self._forges = store, runs, directory, forges
        self._page, self._ended, self._walls = page, ended, (members, strangers)
        self._presence = presence or Presence(store)
        self._following: set[str] = set()
        self._lock = threading.Lock()

    # -- starting

    def start(
        self, target: Target, definition: Definition, uid: str, kind: JobKind, comment: str = "", base: str = "",
        *, confined: bool = False,
    ) -> KeptJob:  # fmt: skip
        """Start a job, or find it as it was started before. Never raises: what is wrong becomes the job's state."""
        if found := self._store.job(uid):
            return found
        occasion = replace(target.occasion, comment=comment)
        job = KeptJob(
            uid, target.forge.name, occasion.repository, occasion.number, kind, definition.name, definition.job.reports,
            occasion.target_branch, occasion.head or occasion.revision, base or occasion.base, occasion.revision,
            _run_name(definition.name, occasion, uid), created=time.time(),
        )  # fmt: skip
        try:
            ready = build(catalogued(definition, target), occasion, self._remote(definition, target))
            walls = self._walls[confined]
            if walls != "process":
                sandbox(walls == "network")
        except (UntrustedError, CelError, PipelineError) as error:
            job = replace(job, state="error", description=str(error), finished=time.time())
            self._store.start_job(job)
            self.report(job)
            return job
        annotations = _group(definition, occasion)
        given = {
            "document": [ready.document.body, ready.document.source], "annotations": annotations,
            "documents": [[one.body, one.source] for one in ready.documents],
            "environment": ready.environment, "foreign": sorted(ready.untrusted), "walls": walls,
            "keep": definition.keep, "by": self._presence.owner,
        }  # fmt: skip
        job = replace(job, given=given)
        with self._lock:
            self._following.add(uid)
        if self._store.start_job(job):
            if definition.cancels and kind != "batch":
                self._supersede(job)
            self._launch(job, target.mirror)
        return self._store.job(uid) or job

    def _remote(self, definition: Definition, target: Target) -> tuple[Document, ...]:
        if definition.conditions is None or not (definition.conditions.tasks or definition.conditions.pipeline):
            return ()
        from pilothouse.delivery.pipelines.resolvers import standard

        return asyncio.run(remote(definition, standard(), target.file))

    def _launch(self, job: KeptJob, mirror: Mirror) -> None:
        place = self.place(job.uid)
        try:
            mirror.check_out(job.revision, place)
            documents = [Document(body, source) for body, source in job.given["documents"]]
            document = Document(*job.given["document"])
            run = to_run(document, job.run)
            run.uid = job.uid
            run.annotations |= job.given.get("annotations", {})
            run.labels |= _labels(job)
            bind(run, documents, place)
            with self._lock:
                self._following.add(job.uid)
            self._store.begin_job(job.uid)
            self._runs.launch(document, documents, run, self._over)
        except (GitError, PipelineError, OSError) as error:
            with self._lock:
                self._following.discard(job.uid)
            self._end(job, "error", str(error))
            return
        self.report(replace(job, state="running"))

    def _again(self, job: KeptJob, mirror: Mirror) -> None:
        """Run once more what ended with the process that ran it."""
        reason = "the server was stopped while it ran; it runs again"
        self._store.change_job(job.uid, state="aborted", description=reason, finished=time.time(), reported="aborted")
        if job.kind == "batch":
            # The pool starts its trees' tests itself.
            self._ended(replace(job, state="aborted"))
            return
        uid = job_uid(job.uid, "again")
        run = f"{job.run.rpartition('-')[0]}-{uid[:8]}"
        given = job.given | {"again": True, "by": self._presence.owner}
        new = replace(job, uid=uid, run=run, state="starting", created=time.time(), given=given)
        with self._lock:
            self._following.add(uid)
        if self._store.start_job(new):
            self._launch(new, mirror)

    def place(self, uid: str) -> Path:
        """A job's checkout."""
        return self._directory / uid / "source"

    def options(self, run: Run, options: Options) -> Options:
        """How a run of ours runs: in its checkout, with its variables; others as they are."""
        job = self._store.job(run.uid)
        if job is None or not job.given:
            return options
        if (walls := job.given.get("walls", "process")) != "process":
            inner = sandbox(walls == "network")
            options = replace(options, launcher=Confined(inner, self.place(run.uid)))
        environment = {**options.environment, **job.given["environment"], "BUILD_ID": run.name, "PROW_JOB_ID": run.uid}
        return replace(
            options, directory=str(self.place(run.uid)), environment=environment,
            foreign=frozenset(job.given["foreign"]),
        )  # fmt: skip

    # -- ending

    def abort(
        self, forge: str, repository: str, number: int, keep: str = "", reason: str = "a newer commit is tested"
    ) -> None:
        """End a pull request's jobs, but those of the commit `keep`."""
        for job in self._store.jobs(repository, number, unfinished=True):
            if (job.forge, job.kind) == (forge, "presubmit") and job.head != keep:
                self.end(job.uid, reason)

    def cancel(
        self, forge: str, repository: str, number: int, commit: str, names: Collection[str], reason: str
    ) -> None:
        """End what runs of these jobs (none: of all) for a pull request's commit."""
        for job in self._store.jobs(repository, number, head=commit, unfinished=True):
            if (job.forge, job.kind) == (forge, "presubmit") and (not names or job.job in names):
                self.end(job.uid, reason)

    def _supersede(self, new: KeptJob) -> None:
        """Pipelines-as-Code's `cancel-in-progress`: of a pull request, or of a branch, only the newest runs."""
        for job in self._store.jobs(new.repository, new.number, unfinished=True):
            same = (job.forge, job.kind, job.job, job.branch) == (new.forge, new.kind, new.job, new.branch)
            if same and job.uid != new.uid and job.created <= new.created:
                self.end(job.uid, f"{new.run} has taken its place (cancel-in-progress)")

    def _prune(self, ended: KeptJob) -> None:
        """Pipelines-as-Code's `max-keep-runs`: of a job's finished runs so many stay, the newest."""
        keep = ended.given.get("keep", 0)
        if not keep:
            return
        finished = [
            job for job in self._store.jobs(ended.repository, job=ended.job, limit=10_000)
            if job.forge == ended.forge and job.state not in OPEN and job.given.get("keep")
        ]  # fmt: skip
        for job in finished[keep:]:
            self._runs.forget(job.uid)
            # The job itself stays: the merge pool and /why go by it.
            self._store.change_job(job.uid, given="{}")

    def end(self, uid: str, reason: str) -> None:
        """End one job."""
        job = self._store.job(uid)
        if job is not None and job.state in OPEN:
            # Said first: however its run ends now, it was not its own doing.
            self._end(job, "aborted", reason)
            self._runs.end(uid)

    def _over(self, run: Run) -> None:
        with self._lock:
            self._following.discard(run.uid)
        self._settle(run.uid, run.condition.status, run.condition.reason, run.condition.message)

    def _settle(self, uid: str, status: str, reason: str, message: str) -> None:
        job = self._store.job(uid)
        if job is None or job.state not in OPEN or status == "Unknown":
            return
        state: JobState = "success" if status == "True" else "failure"
        if reason in ("Interrupted", "StateLost", "CouldntGetPipeline", "CouldntGetTask", "PipelineRunTimeout"):
            state = "error"
        if reason in ("Cancelled", "TaskRunCancelled"):
            state = "aborted"
        self._end(job, state, message if state != "success" else f"took {time.time() - job.created:.1f} s")

    def _end(self, job: KeptJob, state: JobState, description: str) -> None:
        now = time.time()
        self._store.change_job(job.uid, state=state, description=description[:2000], finished=now)
        ended = replace(job, state=state, description=description, finished=now)
        self.report(ended)
        shutil.rmtree(self.place(job.uid).parent, ignore_errors=True)
        self._prune(ended)
        self._ended(ended)

    # -- telling, and making up

    def report(self, job: KeptJob) -> None:
        """Tell the forge how a job stands; what cannot be told now is told later (`make_up`)."""
        forge = self._forges.get(job.forge)
        if forge is None or job.kind == "batch":
            self._store.change_job(job.uid, reported=job.state)
            return
        state = _STATES.get(job.state, "pending")
        words = job.description or {"starting": "is about to start", "running": "runs"}.get(job.state, job.state)
        words = words if len(words) <= _LONGEST_STATUS else words[: _LONGEST_STATUS - 1] + "…"
        status = Status(state, " ".join(words.split()), job.context, self._page(job.run))  # type: ignore[arg-type]
        try:
            # An aborted job of an old commit says nothing about a job of the same commit that runs by now.
            if not (job.state == "aborted" and self._newer(job)):
                forge.set_status(job.repository, job.head, status)
            self._store.change_job(job.uid, reported=job.state)
            # It may have ended meanwhile, and that been told before this.
            if (now := self._store.job(job.uid)) is not None and now.state != job.state:
                self.report(now)
        except ForgeError as error:
            log.warning("a status could not be set", repository=job.repository, job=job.job, reason=str(error))

    def _newer(self, job: KeptJob) -> bool:
        return any(
            one.context == job.context and one.created > job.created
            for one in self._store.jobs(job.repository, job.number, head=job.head)
        )

    def make_up(self, mirror: Callable[[str, str], Mirror]) -> None:
        """Now and then: start what was only written down, settle what ended unseen, tell what was not told."""
        for job in self._store.jobs(unfinished=True, limit=10_000):
            with self._lock:
                if job.uid in self._following:
                    continue
            kept, ended = self._runs.kept(job.uid), self._presence.has_ended(job.given.get("by", ""))
            if job.given.get("by", self._presence.owner) != self._presence.owner and not ended:
                # Another process is about to start it, or follows it.
                continue
            if kept is not None:
                self._store.begin_job(job.uid)
                if kept.status == "Unknown" and ended:
                    self._recover(job, kept.owner, mirror)
                elif kept.reason in _NOT_ITS_DOING and job.given and not job.given.get("again"):
                    self._again(job, mirror(job.forge, job.repository))
                else:
                    self._settle(job.uid, kept.status, kept.reason, kept.message)
            elif job.given:
                self._launch(job, mirror(job.forge, job.repository))
        self._tell_late()

    def _recover(self, job: KeptJob, owner: str, mirror: Callable[[str, str], Mirror]) -> None:
        """The process that ran it was killed."""
        if owner and alive(owner) is None and not job.given.get("again"):
            # On another machine: nobody can look what it left there.
            self._again(job, mirror(job.forge, job.repository))
        else:
            # What it left is marked, or goes on here; then it is settled as any other.
            self._runs.recover()

    def _tell_late(self) -> None:
        for job in self._store.unreported():
            with contextlib.suppress(ForgeError):
                self.report(job)


def _run_name(job: str, occasion: Occasion, uid: str) -> str:
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in job.lower()).strip("-")
    middle = f"{occasion.number}-" if occasion.number else ""
    return f"{plain[:40].strip('-') or 'job'}-{middle}{uid[:8]}"


def _labels(job: KeptJob) -> dict[str, str]:
    """Prow's labels, for whoever looks for runs by them."""
    found = {"prow.k8s.io/job": job.job[:63], "prow.k8s.io/type": job.kind}
    if job.number:
        found["prow.k8s.io/refs.pull"] = str(job.number)
    return found


def _group(definition: Definition, occasion: Occasion) -> dict[str, str]:
    """`max_concurrency` as the engine's queue has it."""
    if not definition.most:
        return {}
    return {GROUP: f"job {occasion.repository} {definition.name}"[:250], HOW: str(definition.most)}
