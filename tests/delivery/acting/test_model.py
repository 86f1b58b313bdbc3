"""The pools, driven by processes that come and go: the branch is never red, and nothing untested is merged.

A model (hypothesis, stateful) of the world around real `Pools` on a real database: the forge, git and jobs are a few
dictionaries. Whatever is pushed, said, tested, killed and taken over, in whatever order.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import tempfile
import time
from types import SimpleNamespace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import event

from pilothouse.delivery.acting.merge_settings import MergeSettings
from pilothouse.delivery.acting.pooling import Pools
from pilothouse.delivery.acting.records import KeptJob
from pilothouse.delivery.acting.store import DeliveryStore
from pilothouse.delivery.forges import ConflictError, UnavailableError
from pilothouse.delivery.triggering import Occasion

_PLACE = ("acme/shop", "main")
_THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH"))


class World:
    """The forge with its branch, its git (a commit is the changes in it), and the jobs: all that outlives processes."""

    def __init__(self, store: DeliveryStore) -> None:
        self.store = store
        self.contents: dict[str, tuple[str, ...]] = {"c": ()}
        self.tip = "c"
        self.heads: dict[int, str] = {}
        self.merged: list[str] = []
        self.bad: set[str] = set()
        self.green: set[str] = set()
        # How often the forge does not answer, before or after it has merged.
        self.silent: list[str] = []
        self.name = "local"
        self.forge = self

    def works(self, heads: tuple[str, ...]) -> bool:
        """Whether a branch with these changes is green."""
        return not self.bad & set(heads)

    # -- as `Loading`, its mirror and its forge

    def branch(self, repository: str, branch: str) -> str:
        return self.tip

    def mirror(self, repository: str) -> Any:
        return self

    def push(self, *_: Any) -> None:
        pass

    def remote(self, *_: Any, **__: Any) -> str:
        return ""

    def tree(self, base: str, changes: list[Any]) -> str:
        made = base
        for one in changes:
            # As long as git's: a column of PostgreSQL has an end.
            made, before = hashlib.sha1(f"{made}+{one.head}".encode(), usedforsecurity=False).hexdigest(), made
            self.contents[made] = (*self.contents[before], one.head)
        return made

    def rules(self, repository: str, commit: str) -> Any:
        return SimpleNamespace(config=SimpleNamespace(named=lambda name: name))

    def pull_request(self, repository: str, number: int) -> Any:
        state = "open" if number in self.heads else "closed"
        head = SimpleNamespace(sha=self.heads.get(number, ""))
        return SimpleNamespace(
            repository=repository, number=number, title="t", body="", author="ann", head=head, state=state
        )  # fmt: skip

    def load(self, repository: str, number: int) -> Any:
        raw = self.pull_request(repository, number)
        pull = SimpleNamespace(base="main", head=raw.head.sha, labels=frozenset(), statuses={})
        job = SimpleNamespace(name="unit", reports="unit", wanted=lambda pull: True, guards=lambda pull: True)
        chosen = SimpleNamespace(merge=MergeSettings(batch=3))
        occasion = Occasion("pull_request", repository, "", "", "", "", "main", "")
        return SimpleNamespace(raw=raw, pull=pull, settings=chosen, policy=SimpleNamespace(jobs=(job,)),
                               occasion=occasion, from_base=False, base=self.tip)  # fmt: skip

    def merge_all(self, repository: str, branch: str, expected: str, sha: str, numbers: list[int]) -> None:
        said = self.silent.pop() if self.silent else ""
        if said == "before":
            raise UnavailableError("no answer")
        if self.tip != sha:
            if self.tip != expected or any(number not in self.heads for number in numbers):
                raise ConflictError("it moved")
            assert sha in self.green, f"{sha} is merged and was not tested"
            assert self.contents[sha] == (*self.contents[expected], *(self.heads[one] for one in numbers))
            self.tip = sha
            self.merged += [self.heads.pop(number) for number in numbers]
        if said == "after":
            raise UnavailableError("no answer")

    # -- as `Jobs`

    def start(self, target: Any, definition: Any, uid: str, kind: str, base: str, confined: bool) -> KeptJob:
        commit = target.occasion.revision
        made = KeptJob(
            uid, "local", *_PLACE[:1], 0, "batch", "unit", "unit", "main", commit, base, commit, uid, "running"
        )
        self.store.start_job(made)
        return made

    def end(self, uid: str, reason: str) -> None:
        self.store.change_job(uid, state="aborted", description=reason)


@functools.cache
def opened() -> DeliveryStore:
    """One database for all examples; what is on the disk after a power cut is not what is tested here."""
    directory = tempfile.mkdtemp(prefix="pilothouse-model-")
    atexit.register(lambda: shutil.rmtree(directory, ignore_errors=True))
    store = DeliveryStore(f"sqlite:///{directory}/control.db")
    if store.database.dialect.name == "sqlite":
        event.listen(store.database, "connect", lambda one, _: one.execute("PRAGMA synchronous=OFF"))
        store.database.dispose()
    return store


def emptied() -> DeliveryStore:
    """The same with nothing in it."""
    with opened().database.begin() as connection:
        for table in ("delivery_jobs", "delivery_pools", "delivery_nudges", "delivery_claims"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    return opened()


class Several(RuleBasedStateMachine):
    """Two processes and their successors."""

    @initialize()
    def begin(self) -> None:
        self.store = emptied()
        self.world = World(self.store)
        self.started = self.pushed = 0
        self.processes = [self.process(), self.process()]

    def process(self) -> Pools:
        self.started += 1
        loading: Any = self.world
        return Pools(loading, self.store, loading, owner=f"process {self.started}")

    def tell(self, number: int, at: int) -> None:
        self.processes[at].changed(self.world.load(_PLACE[0], number), may=number in self.world.heads)

    @rule(bad=st.integers(0, 3), at=st.integers(0, 1))
    def open(self, bad: int, at: int) -> None:
        self.pushed += 1
        number, head = self.pushed, f"h{self.pushed}"
        self.world.heads[number] = head
        if not bad:
            self.world.bad.add(head)
        self.tell(number, at)

    @precondition(lambda self: self.world.heads)
    @rule(data=st.data(), at=st.integers(0, 1), withdrawn=st.booleans(), told=st.booleans())
    def push(self, data: st.DataObject, at: int, withdrawn: bool, told: bool) -> None:
        number = data.draw(st.sampled_from(sorted(self.world.heads)))
        self.pushed += 1
        if withdrawn:
            del self.world.heads[number]
        else:
            self.world.heads[number] = f"h{self.pushed}"
        if told:
            self.tell(number, at)

    @precondition(lambda self: self.running())
    @rule(data=st.data(), at=st.integers(0, 1), killed=st.sampled_from([False, False, False, True]))
    def job_ends(self, data: st.DataObject, at: int, killed: bool) -> None:
        job = data.draw(st.sampled_from(self.running()))
        self.end_job(job, at, killed=killed)

    def end_job(self, job: KeptJob, at: int, *, killed: bool = False) -> None:
        works = self.world.works(self.world.contents[job.head])
        state = "aborted" if killed else "success" if works else "failure"
        if state == "success":
            self.world.green.add(job.head)
        self.store.change_job(job.uid, state=state)
        self.processes[at].ended(job)

    @rule(said=st.sampled_from(["before", "after"]))
    def forge_is_silent(self, said: str) -> None:
        self.world.silent = [said]

    @rule(at=st.integers(0, 1))
    def foreign_commit(self, at: int) -> None:
        self.pushed += 1
        self.world.tip, before = f"f{self.pushed}", self.world.tip
        self.world.contents[self.world.tip] = self.world.contents[before]
        self.processes[at].moved(*_PLACE)

    @rule(at=st.integers(0, 1), ends_well=st.booleans())
    def another_process(self, at: int, ends_well: bool) -> None:
        """One ends, with what it knew; killed, its claim is there until it runs out."""
        old, self.processes[at] = self.processes[at], self.process()
        if ends_well:
            old.let_go()

    @rule(at=st.integers(0, 1))
    def claim_runs_out(self, at: int) -> None:
        """Somebody was held up for longer than his claim: another has the branch, and the first finds that out."""
        for claim in self.claims():
            claim._until = 0.0
            claim.clock = lambda: 0.0
        with self.store.database.begin() as connection:
            connection.exec_driver_sql("UPDATE delivery_claims SET until = 0")
        for claim in self.claims():
            claim.clock = time.time
        self.tend(at)

    def claims(self) -> list[Any]:
        return [one._claims.of(*_PLACE) for one in self.processes]

    @rule(at=st.integers(0, 1))
    def tend(self, at: int) -> None:
        pools = self.processes[at]
        if pools.mine(*_PLACE):
            for nudge in self.store.nudges("local"):
                if nudge.number:
                    self.tell(nudge.number, at)
                else:
                    pools.take_up(*_PLACE)
                self.store.nudged(nudge)
        if self.store.pools(waiting=True) and pools.is_stuck(*_PLACE):
            pools.take_up(*_PLACE)

    def running(self) -> list[KeptJob]:
        return [job for job in self.store.jobs(unfinished=True) if job.kind == "batch"]

    @invariant()
    def branch_is_green(self) -> None:
        if hasattr(self, "world"):
            assert self.world.works(self.world.contents[self.world.tip])
            assert len(self.world.merged) == len(set(self.world.merged))

    def teardown(self) -> None:
        """In the end, with one process that lives, all that is good is merged."""
        if not hasattr(self, "world"):
            return
        self.claim_runs_out(0)
        for number in list(self.world.heads):
            self.tell(number, 0)
        for _ in range(200):
            self.tend(0)
            for job in self.running():
                self.end_job(job, 0)
            if not self.store.pools(waiting=True):
                break
        assert set(self.world.heads.values()) <= self.world.bad


def test_of_a_batch_only_the_change_that_was_withdrawn_is_left_out() -> None:
    state = Several()
    state.begin()
    for _ in range(3):
        state.open(bad=1, at=0)
    # Closed, and the pool has not heard of it yet.
    del state.world.heads[1]
    contents = state.world.contents
    assert ("h1", "h2") in [contents[job.head] for job in state.running()]
    while running := sorted(state.running(), key=lambda job: -len(contents[job.head])):
        state.end_job(running[0], 0)
    assert state.world.merged == ["h2", "h3"]


def test_what_a_forge_does_not_take_is_said_once_and_tried_again() -> None:
    state = Several()
    state.begin()
    state.open(bad=1, at=0)
    state.world.silent = ["before"] * 4
    state.end_job(state.running()[0], 0)
    for _ in range(3):
        state.tend(0)
    said = [one["words"] for one in state.processes[0].state(*_PLACE)["history"] if one["what"] == "not taken"]
    assert said == ["no answer"]
    assert state.world.merged == []
    state.tend(0)
    assert state.world.merged == ["h1"]


TestSeveral = Several.TestCase
TestSeveral.settings = settings(
    max_examples=300 if _THOROUGH else 12, stateful_step_count=40 if _THOROUGH else 25, deadline=None
)
