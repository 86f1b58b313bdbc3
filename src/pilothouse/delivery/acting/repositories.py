"""One forge's part of delivery: its events worked off, its pull requests kept, its pools driven."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog

from pilothouse.delivery import chat
from pilothouse.delivery.acting import deciding
from pilothouse.delivery.acting.applying import Applying
from pilothouse.delivery.acting.cherry_picking import cherry_pick, wanted
from pilothouse.delivery.acting.depending import mentions
from pilothouse.delivery.acting.explaining import Explaining, reasons
from pilothouse.delivery.acting.loading import Loaded, Loading, files_of
from pilothouse.delivery.acting.mirror import GitError, Mirrors
from pilothouse.delivery.acting.pooling import Pools
from pilothouse.delivery.acting.records import KeptDecision, KeptJob, KeptPull, Nudge
from pilothouse.delivery.acting.replaying import snapshot
from pilothouse.delivery.acting.running import Jobs, job_uid
from pilothouse.delivery.acting.store import DeliveryStore
from pilothouse.delivery.acting.target import Target
from pilothouse.delivery.chat.reading import commands
from pilothouse.delivery.forges import Event, Forge, ForgeError, MissingError, Repository
from pilothouse.delivery.triggering import Definition, Files, Occasion
from pilothouse.delivery.triggering.celling import CelError
from pilothouse.delivery.triggering.periodics import due

# What begins or ends a pull request is looked at whoever does it.
_LIFE = ("opened", "synchronize", "closed", "merged", "reopened", "ready")
# After these a change that the pool put out is tried there again, though its own jobs may all be green.
_AGAIN = ("test", "retest", "retest-required", "rerun")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the parts of all forges have in common."""

    store: DeliveryStore
    mirrors: Mirrors
    jobs: Jobs
    pool: Callable[[str, str, str], dict[str, Any]]
    owner: str = ""


class ForgePart:
    """Works for one forge. Its calls block; they may come from any thread."""

    def __init__(self, forge: Forge, shared: Shared) -> None:
        self.forge, self._store, self._jobs = forge, shared.store, shared.jobs
        self.loading = Loading(forge, shared.mirrors, shared.store)
        self.pools = Pools(self.loading, shared.store, shared.jobs, self._put_out, shared.owner)
        self._explaining = Explaining(shared.store, shared.pool)
        self._applying = Applying(self.loading, shared.store, shared.jobs, self._explain)
        self._locks: dict[tuple[str, int], threading.RLock] = {}
        self._guard = threading.Lock()
        self._first_seen: dict[tuple[str, str], float] = {}

    @contextmanager
    def _alone(self, repository: str, number: int) -> Iterator[None]:
        """One thing at a time is done to a pull request."""
        with self._guard:
            lock = self._locks.setdefault((repository, number), threading.RLock())
        with lock:
            yield

    # -- events

    def handle(self, event: Event) -> None:
        """Work one event off. Raises `ForgeError` when the forge does not answer: then it is handed over again."""
        if event.number:
            self._on_pull(event)
        elif event.kind == "push" and event.ref is not None and not event.ref.deleted:
            self._on_push(event)
        elif event.kind == "status" and event.commit and not self._our_own(event):
            for kept in self._store.pulls(event.repository, "open"):
                if kept.head == event.commit:
                    self.reconsider(event.repository, kept.number)

    def _on_pull(self, event: Event) -> None:
        said = deciding.chat_event(event)
        if said is None or self._our_own(event):
            return
        with self._alone(event.repository, event.number):
            loaded = self.loading.load(event.repository, event.number, said.author)
            said = deciding.with_lines(event, loaded, said)
            self.decide(_as_seen(loaded, said, event, self._known(loaded)), event.delivery, said, _kind(event))
            if event.action == "merged":
                for branch in wanted(loaded.raw.labels):
                    mirror = self.loading.mirror(event.repository)
                    cherry_pick(self.forge, mirror, loaded.raw, branch, f"{event.delivery}/cherry-pick/{branch}")
        if event.action in ("merged", "closed", "reopened"):
            self._dependents(event.repository, event.number)

    def _dependents(self, repository: str, number: int) -> None:
        """Look again at what waits for a pull request, in whichever repository."""
        for kept in self._store.pulls(state="open", limit=10_000):
            if kept.forge == self.forge.name and mentions(kept.why, repository, number):
                self.reconsider(kept.repository, kept.number)

    def _our_own(self, event: Event) -> bool:
        """Whether it is only the echo of what was done here: how things stand was looked at after it was done."""
        if event.sender.lower() != self.forge.me.login.lower():
            return False
        return event.kind != "pull_request" or event.action not in _LIFE

    def decide(self, loaded: Loaded, delivery: str, said: chat.Event, kind: str) -> None:
        """Decide, write down, do; then see whether it may be merged."""
        name, repository, number = self.forge.name, loaded.raw.repository, loaded.raw.number
        if self._known(loaded) is None:
            self._keep(loaded, ())
        kept = self._store.decided(name, delivery)
        if kept is None:
            effects, records = deciding.decide(loaded, said)
            decision = KeptDecision(
                0,
                name,
                delivery,
                repository,
                number,
                time.time(),
                kind,
                said.author,
                loaded.pull.head,
                records,
                snapshot=snapshot(loaded, said),
            )
            kept = self._store.decide(decision, effects)
        self._applying.apply(kept, loaded, said.text)
        if said.kind == "comment" and any(one.word in _AGAIN for one in commands(said.text)):
            self.pools.again(repository, loaded.pull.base, number)
        self._see(
            self.loading.load(repository, number) if kept.effects or loaded.pull.head != loaded.raw.head.sha else loaded
        )

    def reconsider(self, repository: str, number: int, cause: str = "") -> None:
        """See how a pull request stands now; with a `cause` (a delivery), also what follows from its base's move."""
        with self._alone(repository, number):
            loaded = self.loading.load(repository, number)
            if cause:
                said = chat.Event("edited", self.forge.me.login, is_bot=True)
                self.decide(loaded, f"{cause}#{number}", said, "base moved")
            else:
                self._see(loaded)

    def _see(self, loaded: Loaded) -> None:
        why = reasons(loaded)
        self._keep(loaded, why)
        self.pools.changed(loaded, may=not why)

    def _known(self, loaded: Loaded) -> KeptPull | None:
        return self._store.pull(self.forge.name, loaded.raw.repository, loaded.raw.number)

    def _keep(self, loaded: Loaded, why: tuple[str, ...]) -> None:
        raw = loaded.raw
        self._store.keep_pull(
            KeptPull(
                self.forge.name, raw.repository, raw.number, "", raw.state, raw.title, raw.author, raw.base.ref,
                raw.head.sha, raw.url, tuple(sorted(raw.labels)), why, time.time(),
            )
        )  # fmt: skip

    # -- pushes

    def _on_push(self, event: Event) -> None:
        assert event.ref is not None
        ref, branch = event.ref, event.ref.branch
        mirror = self.loading.mirror(event.repository)
        mirror.fetch(self.forge.remote(event.repository), {ref.ref: "pushed"})
        after = ref.after if mirror.has(ref.after) else mirror.fetched("pushed")
        self._postsubmits(event, after)
        if not branch:
            return
        self.pools.moved(event.repository, branch)
        for raw in self.forge.pull_requests(event.repository):
            if raw.base.ref == branch:
                self.reconsider(event.repository, raw.number, event.delivery)

    def _postsubmits(self, event: Event, after: str) -> None:
        assert event.ref is not None
        repository = self.forge.repository(event.repository)
        config = self.loading.rules(event.repository, after).config
        definitions = config.of("postsubmit")
        if not definitions:
            return
        branch = event.ref.branch or event.ref.ref
        changed = self.forge.changed_files(event.repository, event.ref.before, after)
        title = self.forge.commit(event.repository, after).message.partition("\n")[0]
        occasion = _push(repository, branch, after, event.sender, title, files_of(changed))
        records = []
        for definition in definitions:
            try:
                reason = definition.why_not(occasion)
            except CelError as error:
                reason = str(error)
            records.append({"about": "job", "subject": definition.name, "words": reason or "it runs by itself"})
            if not reason:
                uid = job_uid(self.forge.name, event.delivery, definition.name)
                self._jobs.start(self._target(occasion), definition, uid, "postsubmit")
        decision = KeptDecision(
            0, self.forge.name, event.delivery, event.repository, 0, time.time(), f"push to {branch}", event.sender,
            after, tuple(records),
        )  # fmt: skip
        self._store.decide(decision, ())

    def _target(self, occasion: Occasion) -> Target:
        mirror = self.loading.mirror(occasion.repository)
        return Target(self.forge, mirror, occasion, lambda path: mirror.texts(occasion.revision, path.__eq__).get(path))

    # -- by the clock

    def periodics(self, now: float) -> None:
        """Start the periodic jobs of all repositories that are due."""
        for repository in self.forge.repositories():
            try:
                self._periodics(repository, now)
            except (ForgeError, GitError) as error:
                log.warning("periodic jobs", repository=repository.full_name, reason=str(error))

    def _periodics(self, repository: Repository, now: float) -> None:
        name, branch = repository.full_name, repository.default_branch
        commit = self.loading.branch(name, branch)
        definitions = self.loading.rules(name, commit).config.of("periodic") if commit else ()
        last = self._store.last_runs(name, "periodic") if definitions else {}
        for definition in definitions:
            seen = self._first_seen.setdefault((name, definition.name), now)
            started, finished = last.get(definition.name, (0.0, 0.0))
            if definition.schedule.startswith("cron") and not started:
                started = seen
            try:
                if due(definition, started, finished, now):
                    self._periodic(repository, definition, commit, started)
            except ValueError as error:
                log.warning("a periodic job", repository=name, reason=str(error))

    def _periodic(self, repository: Repository, definition: Definition, commit: str, last: float) -> None:
        branch = definition.branch or repository.default_branch
        revision = self.loading.branch(repository.full_name, branch) if definition.branch else commit
        occasion = _push(repository, branch, revision, self.forge.me.login, "", Files())
        uid = job_uid(self.forge.name, repository.full_name, "periodic", definition.name, str(last))
        self._jobs.start(self._target(occasion), definition, uid, "periodic")

    # -- what is told

    def ended(self, job: KeptJob) -> None:
        """A job of this forge is over."""
        if job.kind == "batch":
            self.pools.ended(job)
        elif job.kind == "presubmit" and job.number:
            self.reconsider(job.repository, job.number)

    def take_up(self) -> None:
        """After a start: go on where the last process was."""
        for forge, repository, branch in self._store.pools():
            if forge == self.forge.name:
                self.pools.take_up(repository, branch)
        for kept in self._store.pulls(state="open", limit=10_000):
            if kept.forge == self.forge.name:
                try:
                    self.reconsider(kept.repository, kept.number)
                except MissingError:
                    self._store.keep_pull(replace(kept, state="closed", why=("it is gone",)))

    def tend(self) -> None:
        """Now and then: do what other processes ask for, and take over pools that nobody drives any more."""
        for nudge in self._store.nudges(self.forge.name):
            if self.pools.mine(nudge.repository, nudge.branch):
                self._look_at(nudge)
                self._store.nudged(nudge)
        for forge, repository, branch in self._store.pools(waiting=True):
            if forge == self.forge.name and self.pools.is_stuck(repository, branch):
                self.pools.take_up(repository, branch)

    def _look_at(self, nudge: Nudge) -> None:
        if not nudge.number:
            self.pools.take_up(nudge.repository, nudge.branch)
            return
        if nudge.again:
            self.pools.again(nudge.repository, nudge.branch, nudge.number)
        with suppress(MissingError):
            self.reconsider(nudge.repository, nudge.number)

    def why(self, repository: str, number: int) -> dict[str, Any] | None:
        """Why it does not merge, from what was written down."""
        return self._explaining.why(self.forge.name, repository, number)

    def _explain(self, loaded: Loaded) -> str:
        now = reasons(loaded)
        return self._explaining.in_words(self.forge.name, loaded.raw.repository, loaded.raw.number, now)

    def _put_out(self, repository: str, number: int, reason: str) -> None:
        raw = self.forge.pull_request(repository, number)
        jobs = [job for job in self._store.jobs(repository, limit=50) if job.kind == "batch" and job.state == "failure"]
        which = f" `{jobs[0].job}` failed: {jobs[0].description[:300]}" if jobs else ""
        text = f"It is put out of the merge pool: {reason}.{which}\n\nPush a change, or say `/retest`."
        self.forge.add_comment(repository, number, text, key=f"out/{raw.head.sha}")


def _as_seen(loaded: Loaded, said: chat.Event, event: Event, kept: KeptPull | None) -> Loaded:
    """What was said was said of the commit that was there: one that came since was looked at by nobody.

    Without this a push that races `/ok-to-test` would be trusted.
    """
    if said.kind not in ("comment", "review"):
        return loaded
    seen = event.pull.head.sha if event.pull is not None else kept.head if kept is not None else ""
    if not seen or seen == loaded.pull.head:
        return loaded
    return replace(loaded, pull=replace(loaded.pull, head=seen), revision="")


def _push(repository: Repository, branch: str, after: str, sender: str, title: str, files: Files) -> Occasion:
    return Occasion(
        "push", repository.full_name, repository.url, after, after, after, branch, branch, sender=sender, title=title,
        default_branch=repository.default_branch, files=files,
    )  # fmt: skip


def _kind(event: Event) -> str:
    return f"{event.kind} {event.action}".strip()
