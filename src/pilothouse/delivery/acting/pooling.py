"""The merge pools, run for real: trees are commits, their tests are jobs, and what is green lands as it was tested.

`merging.MergePool` says what is to be done; this does it, and writes the pool down after each step, so that a process
that is killed in the middle of a merge finds out from the branch whether it happened.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from pilothouse.delivery import triggering
from pilothouse.delivery.acting import pool_json
from pilothouse.delivery.acting.claiming import Claims
from pilothouse.delivery.acting.loading import Loaded, Loading
from pilothouse.delivery.acting.mirror import Change, GitError
from pilothouse.delivery.acting.records import OPEN, KeptJob
from pilothouse.delivery.acting.running import Jobs, job_uid
from pilothouse.delivery.acting.store import DeliveryStore, LostError
from pilothouse.delivery.acting.target import Target
from pilothouse.delivery.chat.overriding import holds
from pilothouse.delivery.forges import ConflictError, ForgeError, MergeError, User
from pilothouse.delivery.merging.pool import Candidate, MergePool, Step, Tree

_MOST_ATTEMPTS = 5
_MOST_LANDED = 100
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Driven:
    """A branch's pool with what is on its way: the jobs of each tree that is tested, and the merge that was begun.

    `landed` are the changes that were merged last, and their heads. `term` is the claim's term in which it was read;
    `fresh` says that what an earlier process left was not looked at yet. `untaken` is why the forge did not take the
    merge that was begun, when that was last tried.
    """

    pool: MergePool
    tests: dict[Tree, tuple[str, ...]] = field(default_factory=dict)
    merging: tuple[Tree, str] | None = None
    loaded: dict[int, Loaded] = field(default_factory=dict)
    done: list[dict[str, Any]] = field(default_factory=list)
    landed: dict[int, str] = field(default_factory=dict)
    term: int = 0
    fresh: bool = True
    untaken: str = ""


class Pools:
    """The pools of one forge's branches. Each is worked on by one process, and one thread of it, at a time."""

    def __init__(
        self, loading: Loading, store: DeliveryStore, jobs: Jobs,
        out: Callable[[str, int, str], None] = lambda repository, number, reason: None, owner: str = "",
    ) -> None:  # fmt: skip
        """`out` hears of changes that were put out, with the reason; `owner` is this process among several."""
        self._loading, self._store, self._jobs, self._out = loading, store, jobs, out
        self._claims = Claims(store, loading.forge.name, owner)
        self._open: dict[tuple[str, str], Driven] = {}
        self._locks: dict[tuple[str, str], threading.RLock] = {}
        self._guard = threading.Lock()

    def _lock(self, repository: str, branch: str) -> threading.RLock:
        with self._guard:
            return self._locks.setdefault((repository, branch), threading.RLock())

    # -- what changes

    @contextmanager
    def _driving(self, repository: str, branch: str) -> Iterator[bool]:
        """Whether the branch is this process's to drive; what was about to be done when it ceased to be is left."""
        with self._lock(repository, branch):
            claim = self._claims.of(repository, branch)
            mine = claim.held()
            driven = self._open.get((repository, branch))
            if driven is not None and not (mine and driven.term == claim.terms):
                # Another process may have driven it meanwhile.
                del self._open[repository, branch]
            try:
                yield mine
            except LostError as error:
                log.warning("a merge pool", repository=repository, branch=branch, reason=str(error))
                self._open.pop((repository, branch), None)
                self._nudge(repository, branch)

    def _nudge(self, repository: str, branch: str, number: int = 0, *, again: bool = False) -> None:
        self._store.nudge(self._loading.forge.name, repository, branch, number, again=again)

    def changed(self, loaded: Loaded, may: bool) -> None:
        """A pull request may be merged now, or may not."""
        repository, branch, number = loaded.raw.repository, loaded.pull.base, loaded.raw.number
        if not may and not self._is_known(repository, branch):
            return
        with self._driving(repository, branch) as mine:
            if mine:
                self._changed(repository, branch, loaded, may)
                return
            head = loaded.pull.head if may else ""
            if pool_json.differs(self._written(repository, branch), number, head, loaded.base):
                self._nudge(repository, branch, number)

    def _changed(self, repository: str, branch: str, loaded: Loaded, may: bool) -> None:
        number = loaded.raw.number
        driven = self._driven(repository, branch, loaded.base)
        if driven.landed.get(number) == loaded.pull.head:
            # It was looked at before it was merged, and told after.
            may = False
        known = driven.pool.waiting.get(number)
        wanted = _candidate(loaded) if may else None
        if may:
            driven.loaded[number] = loaded
            driven.pool.batch, driven.pool.ahead = loaded.settings.merge.batch, loaded.settings.merge.ahead
        else:
            driven.loaded.pop(number, None)
        if known != wanted:
            others = [one for one in driven.pool.waiting.values() if one.number != number]
            self._do(repository, branch, driven, driven.pool.offer([*others, *([wanted] if wanted else [])]))
        if loaded.base and loaded.base != driven.pool.base:
            # One of the two is old; only the forge knows which.
            self._moved(repository, branch, driven, self._loading.branch(repository, branch))

    def moved(self, repository: str, branch: str) -> None:
        """The branch may have moved."""
        if not self._is_known(repository, branch):
            return
        with self._driving(repository, branch) as mine:
            if mine:
                driven = self._driven(repository, branch)
                self._moved(repository, branch, driven, self._loading.branch(repository, branch))
            else:
                self._nudge(repository, branch)

    def ended(self, job: KeptJob) -> None:
        """A job of a tree ended."""
        with self._driving(job.repository, job.branch) as mine:
            if not mine:
                self._nudge(job.repository, job.branch)
                return
            driven = self._driven(job.repository, job.branch)
            for tree, uids in list(driven.tests.items()):
                if job.uid in uids:
                    self._do(job.repository, job.branch, driven, self._look(driven, tree))

    def again(self, repository: str, branch: str, number: int) -> None:
        """Somebody asks for a change's tests again: that it was put out does not count any more."""
        if not any(one == number for one, _ in self._written(repository, branch).get("refused", [])):
            return
        with self._driving(repository, branch) as mine:
            if not mine:
                self._nudge(repository, branch, number, again=True)
                return
            driven = self._driven(repository, branch)
            if driven.pool.refused.pop(number, None):
                self._write(repository, branch, driven)

    def take_up(self, repository: str, branch: str) -> None:
        """End a merge that was begun, and look at the branch and at the tests that ran, where that is ours to do."""
        with self._driving(repository, branch) as mine:
            if mine:
                driven = self._driven(repository, branch)
                driven.fresh = False
                if driven.merging:
                    steps = self._land(repository, branch, driven, *driven.merging, again=True)
                    self._do(repository, branch, driven, steps)
                if driven.merging:
                    # Nobody answers for it yet.
                    return
                self._moved(repository, branch, driven, self._loading.branch(repository, branch))
                steps = [step for tree in list(driven.tests) for step in self._look(driven, tree)]
                self._do(repository, branch, driven, steps or driven.pool.plan())

    def is_stuck(self, repository: str, branch: str) -> bool:
        """Whether a pool that is ours, or that nobody drives, waits for nothing that would come by itself."""
        with self._driving(repository, branch) as mine:
            driven = self._open.get((repository, branch))
            if not mine or driven is None:
                return mine
            begun = driven.fresh or driven.merging is not None
            # A forge that did not answer left undone what the pool asked for.
            undone = any(tree not in driven.tests for tree in driven.pool.running) or copy.deepcopy(driven.pool).plan()
            return begun or bool(undone) or any(self._are_over(uids) for uids in driven.tests.values())

    def _are_over(self, uids: tuple[str, ...]) -> bool:
        return not any(job is not None and job.state in OPEN for job in map(self._store.job, uids))

    def mine(self, repository: str, branch: str) -> bool:
        """Whether the branch is this process's to drive; it is taken where nobody has it."""
        return self._claims.of(repository, branch).held()

    def let_go(self) -> None:
        """Let other processes have the branches at once."""
        self._claims.let_go()

    # -- what is known

    def state(self, repository: str, branch: str) -> dict[str, Any]:
        """A pool as the API answers it."""
        content, history = self._store.pool(self._loading.forge.name, repository, branch)
        found = pool_json.for_people(content) if content else pool_json.for_people(pool_json.EMPTY)
        return {
            "forge": self._loading.forge.name,
            "repository": repository,
            "branch": branch,
            **found,
            "history": history,
        }

    def _is_known(self, repository: str, branch: str) -> bool:
        return (repository, branch) in self._open or bool(self._written(repository, branch))

    def _written(self, repository: str, branch: str) -> dict[str, Any]:
        return self._store.pool(self._loading.forge.name, repository, branch)[0]

    def _driven(self, repository: str, branch: str, base: str = "") -> Driven:
        key = (repository, branch)
        if key not in self._open:
            if content := self._written(repository, branch):
                pool, tests, merging = pool_json.read(content)
                self._open[key] = Driven(pool, tests, merging)
            else:
                self._open[key] = Driven(MergePool(base or self._loading.branch(repository, branch)))
            self._open[key].term = self._claims.of(repository, branch).terms
        return self._open[key]

    # -- what is done

    def _moved(self, repository: str, branch: str, driven: Driven, base: str) -> None:
        if base != driven.pool.base and driven.merging is None:
            driven.done.append(_entry("moved", (), f"{branch} is at {base[:12]} now"))
            self._do(repository, branch, driven, driven.pool.moved(base))
        else:
            self._write(repository, branch, driven)

    def _do(self, repository: str, branch: str, driven: Driven, steps: list[Step]) -> None:
        """Do what the pool asks for, and what follows from that, until there is nothing but waiting."""
        left = list(steps)
        while True:
            # What takes long is renewed on the way.
            self._claims.of(repository, branch).held()
            self._abort(driven)
            untested = next((tree for tree in driven.pool.running if tree not in driven.tests), None)
            if left:
                step = left.pop(0)
                numbers = [one.number for one in step.tree.changes]
                if step.kind == "out":
                    driven.loaded.pop(numbers[0], None)
                    driven.done.append(_entry("out", numbers, step.reason))
                    # Whoever reads that it is out can ask why.
                    self._write(repository, branch, driven)
                    self._out(repository, numbers[0], step.reason)
                elif step.kind == "merge" and step.tree.base == driven.pool.base:
                    left += self._merge(repository, branch, driven, step.tree)
            elif untested is not None:
                left += self._test(repository, branch, driven, untested)
            else:
                break
        self._write(repository, branch, driven)

    def _abort(self, driven: Driven) -> None:
        """End the jobs of trees that can no longer be merged."""
        for tree in [tree for tree in driven.tests if tree not in driven.pool.running]:
            reason = "a change in it, or the branch, is another now"
            for uid in driven.tests.pop(tree):
                self._jobs.end(uid, reason)
            driven.done.append(_entry("aborted", [one.number for one in tree.changes], reason))

    def _write(self, repository: str, branch: str, driven: Driven) -> None:
        content = pool_json.written(driven.pool, driven.tests, driven.merging)
        claim = self._claims.of(repository, branch)
        self._store.keep_pool(self._loading.forge.name, repository, branch, content, driven.done, time.time(), claim)
        driven.done.clear()

    def _test(self, repository: str, branch: str, driven: Driven, tree: Tree) -> list[Step]:
        """Start the jobs of a tree; when there are none, or they ran already, it is tested."""
        loaded = self._all_loaded(repository, driven, tree)
        numbers = [one.number for one in tree.changes]
        try:
            commit = self._commit(repository, tree, loaded)
        except (MergeError, GitError) as error:
            driven.done.append(_entry("conflict", numbers, str(error)))
            return driven.pool.tested(tree, "red")
        if len(loaded) == 1 and self._tested_already(loaded[0], tree):
            driven.done.append(_entry("tested", numbers, "its jobs ran green on this very merge"))
            return driven.pool.tested(tree, "green")
        driven.tests[tree] = self._start(repository, branch, tree, loaded, commit)
        driven.done.append(_entry("testing", numbers, f"as {commit[:12]} on {tree.base[:12]}"))
        self._write(repository, branch, driven)
        return self._look(driven, tree)

    def _all_loaded(self, repository: str, driven: Driven, tree: Tree) -> list[Loaded]:
        found = []
        for one in tree.changes:
            if one.number not in driven.loaded:
                driven.loaded[one.number] = self._loading.load(repository, one.number)
            found.append(driven.loaded[one.number])
        return found

    def _commit(self, repository: str, tree: Tree, loaded: list[Loaded]) -> str:
        """The commit that the branch is at when a tree is merged."""
        mirror = self._loading.mirror(repository)
        return mirror.tree(tree.base, [_change(one, as_) for one, as_ in zip(loaded, tree.changes, strict=True)])

    def _tested_already(self, loaded: Loaded, tree: Tree) -> bool:
        """Whether the change's own jobs ran green on the merge onto the very commit that the tree stands on."""
        jobs = self._store.jobs(loaded.raw.repository, loaded.raw.number, head=tree.changes[0].head)
        newest: dict[str, KeptJob] = {}
        for job in jobs:
            if job.kind == "presubmit":
                newest.setdefault(job.job, job)
        needed = _required([loaded], tree.base)
        return all(
            name in newest and newest[name].state == "success" and newest[name].base == tree.base for name in needed
        )

    def _start(self, repository: str, branch: str, tree: Tree, loaded: list[Loaded], commit: str) -> tuple[str, ...]:
        mirror = self._loading.mirror(repository)
        source = tree.base if any(one.from_base for one in loaded) else commit
        config = self._loading.rules(repository, source).config
        last = loaded[-1]
        batch = tuple(
            triggering.Change(one.number, one.head, item.raw.author, item.raw.title)
            for one, item in zip(tree.changes, loaded, strict=True)
        )
        occasion = replace(last.occasion, revision=commit, base=tree.base, head=commit, batch=batch)
        uids = []
        for name in sorted(_required(loaded, tree.base)):
            definition = config.named(name)
            if definition is None:
                continue
            target = Target(
                self._loading.forge, mirror, occasion, lambda path: mirror.texts(source, path.__eq__).get(path)
            )
            attempt = self._attempt(repository, commit, name)
            uid = job_uid(repository, branch, commit, name, str(attempt))
            confined = any(one.from_base for one in loaded)
            job = self._jobs.start(target, definition, uid, "batch", base=tree.base, confined=confined)
            uids.append(job.uid)
        return tuple(uids)

    def _attempt(self, repository: str, commit: str, name: str) -> int:
        """How often the job of a tree was ended before it was over: then it is another job."""
        jobs = self._store.jobs(repository, head=commit)
        return sum(1 for job in jobs if job.job == name and job.kind == "batch" and job.state == "aborted")

    def _look(self, driven: Driven, tree: Tree) -> list[Step]:
        """What follows when a tree's jobs are over; nothing while they run."""
        jobs = [self._store.job(uid) for uid in driven.tests.get(tree, ())]
        bad = [job for job in jobs if job is not None and job.state in ("failure", "error")]
        ended = [job for job in jobs if job is not None and job.state == "aborted"]
        numbers = [one.number for one in tree.changes]
        if ended and not bad and self._attempt(ended[0].repository, ended[0].head, ended[0].job) < _MOST_ATTEMPTS:
            # Nobody knows how it would have ended: the tree is tested again.
            for uid in driven.tests.pop(tree):
                self._jobs.end(uid, "another job of the same tree was ended")
            driven.done.append(_entry("again", numbers, f"{ended[0].job} was ended: {ended[0].description}"))
            return []
        bad += ended
        if not bad and any(job is not None and job.state in OPEN for job in jobs):
            return []
        uids = driven.tests.pop(tree, ())
        for uid in uids if bad else ():
            self._jobs.end(uid, "another job of the same tree failed")
        if bad:
            driven.done.append(_entry("red", numbers, f"{bad[0].job}: {bad[0].description}", bad[0].run))
        else:
            driven.done.append(_entry("green", numbers, f"on {tree.base[:12]}"))
        return driven.pool.tested(tree, "red" if bad else "green")

    def _merge(self, repository: str, branch: str, driven: Driven, tree: Tree) -> list[Step]:
        commit = self._commit(repository, tree, self._all_loaded(repository, driven, tree))
        again = driven.merging == (tree, commit)
        driven.merging = (tree, commit)
        # What is meant is written before it is done: whether it happened can be seen from the branch.
        self._write(repository, branch, driven)
        return self._land(repository, branch, driven, tree, commit, again=again)

    def _land(
        self, repository: str, branch: str, driven: Driven, tree: Tree, commit: str, *, again: bool = False
    ) -> list[Step]:
        numbers = [one.number for one in tree.changes]
        try:
            self._merge_all(repository, branch, tree, commit, again=again)
        except (ConflictError, GitError) as error:
            driven.merging = None
            driven.done.append(_entry("not merged", numbers, str(error)))
            base = self._loading.branch(repository, branch)
            if base != driven.pool.base:
                return driven.pool.moved(base)
            # Not the branch, but a change is another now: it is offered anew when that is told. The rest goes on.
            others = self._others(repository, tree) or numbers
            for number in others:
                driven.loaded.pop(number, None)
            return driven.pool.offer([one for one in driven.pool.waiting.values() if one.number not in others])
        except ForgeError as error:
            # It may or may not have happened: it stays begun, and is looked at again (`take_up`), every few seconds.
            if driven.untaken != str(error):
                driven.untaken = str(error)
                log.warning("a merge was not answered for", repository=repository, branch=branch, reason=str(error))
                driven.done.append(_entry("not taken", numbers, str(error)))
            return []
        driven.merging, driven.untaken = None, ""
        driven.done.append(_entry("merged", numbers, f"{branch} is at {commit[:12]} now"))
        for one in tree.changes:
            driven.loaded.pop(one.number, None)
            driven.landed[one.number] = one.head
        for old in list(driven.landed)[:-_MOST_LANDED]:
            del driven.landed[old]
        _moved_along(driven, tree, commit)
        return driven.pool.merged(tree, commit)

    def _merge_all(self, repository: str, branch: str, tree: Tree, commit: str, *, again: bool) -> None:
        """Move the branch to the very commit that was tested, if nothing else moved."""
        forge, mirror = self._loading.forge, self._loading.mirror(repository)
        if not again or self._loading.branch(repository, branch) != commit:
            self._unchanged(repository, tree)
            # The forge has to have the commit before a branch can be moved to it; the next one takes this ref over.
            mirror.push(forge.remote(repository, write=True), commit, f"refs/pilothouse/pool/{branch}")
        forge.merge_all(repository, branch, tree.base, commit, [one.number for one in tree.changes])

    def _unchanged(self, repository: str, tree: Tree) -> None:
        """Raises `ConflictError` when the forge has another head of one of the changes by now."""
        for one in tree.changes:
            if other := self._other(repository, one):
                raise ConflictError(other)

    def _other(self, repository: str, one: Candidate) -> str:
        """What the forge has instead of a change, or nothing."""
        raw = self._loading.forge.pull_request(repository, one.number)
        same = raw.head.sha == one.head and raw.state == "open"
        return "" if same else f"#{one.number} is {raw.state} at {raw.head.sha[:12]} now, not at {one.head[:12]}"

    def _others(self, repository: str, tree: Tree) -> list[int]:
        """Those changes of a tree that the forge has otherwise; none where it does not answer."""
        try:
            return [one.number for one in tree.changes if self._other(repository, one)]
        except ForgeError:
            return []


def _moved_along(driven: Driven, tree: Tree, base: str) -> None:
    """Trees that stood on the merged one stand on the branch now: their jobs go on."""
    count = len(tree.changes)
    for one in list(driven.tests):
        if one.base == tree.base and one.changes[:count] == tree.changes and one.changes[count:]:
            driven.tests[Tree(base, one.changes[count:])] = driven.tests.pop(one)


def _required(loaded: list[Loaded], base: str) -> set[str]:
    """The jobs that have to be green for these changes on a base, but those that somebody overrode there."""
    found = set()
    for one in loaded:
        for job in one.policy.jobs:
            status = one.pull.statuses.get(job.reports)
            said = status.description if status is not None else ""
            overridden = said.startswith("Skipped by ") or holds(said, base)
            if job.guards(one.pull) and not overridden:
                found.add(job.name)
    return found


def _candidate(loaded: Loaded) -> Candidate:
    labels, settings = loaded.pull.labels, loaded.settings.merge
    most = len(settings.priority)
    priority = next((most - at for at, wanted in enumerate(settings.priority) if wanted <= labels), 0)
    return Candidate(loaded.raw.number, loaded.pull.head, priority, settings.methods.of(loaded.pull.base, labels))


def _change(loaded: Loaded, candidate: Candidate) -> Change:
    raw, method = loaded.raw, candidate.method
    message = loaded.settings.merge.commit.message(raw, method)
    author = User(raw.author, raw.author, f"{raw.author}@users.noreply.invalid")
    return Change(raw.number, candidate.head, message, author, method)


def _entry(what: str, numbers: Any, words: str, run: str = "") -> dict[str, Any]:
    return {"at": time.time(), "what": what, "changes": list(numbers), "words": words, "run": run}
