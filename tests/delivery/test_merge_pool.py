"""Whatever comes in whatever order, the branch is never red and nothing untested is merged."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pilothouse.delivery.merging.pool import Candidate, MergePool, Step, Tree


class World:
    """A branch, changes that are bad alone or in pairs, and a test runner that is as slow as it likes."""

    def __init__(self, batch: int = 5, ahead: int = 2) -> None:
        self.commit, self.content = 0, frozenset[str]()
        self.bad: set[str] = set()
        self.clashing: set[frozenset[str]] = set()
        self.offered: dict[int, Candidate] = {}
        self.batch, self.ahead = batch, ahead
        self.pool = MergePool(self.base, batch, ahead)
        self.running: list[Tree] = []
        self.green: set[tuple[frozenset[str], frozenset[str]]] = set()
        self.out: set[str] = set()

    @property
    def base(self) -> str:
        """The branch's commit."""
        return f"commit-{self.commit}"

    def works(self, heads: frozenset[str]) -> bool:
        """Whether a tree of these changes is green."""
        return not heads & self.bad and not any(pair <= heads for pair in self.clashing)

    def take(self, steps: list[Step]) -> None:
        """Do what the pool asks for."""
        for step in steps:
            heads = frozenset(one.head for one in step.tree.changes)
            if step.kind == "test":
                self.running.append(step.tree)
            elif step.kind == "abort":
                self.running = [tree for tree in self.running if tree != step.tree]
            elif step.kind == "out":
                self.out |= heads
            else:
                assert step.tree.base == self.base, "merged onto another commit than it was tested on"
                assert (self.content, heads) in self.green, "merged without a green test of this very tree"
                assert all(self.offered.get(one.number) == one for one in step.tree.changes)
                self.merge(step.tree)

    def merge(self, tree: Tree) -> None:
        """The branch gets the tree; tests that run on it go on under its new name."""
        self.content |= {one.head for one in tree.changes}
        self.commit += 1
        for one in tree.changes:
            del self.offered[one.number]
        self.running = [self._moved(one, tree) for one in self.running]
        self.take(self.pool.merged(tree, self.base))

    def _moved(self, one: Tree, merged: Tree) -> Tree:
        count = len(merged.changes)
        if (one.base, one.changes[:count]) != (merged.base, merged.changes):
            return one
        return Tree(self.base, one.changes[count:])

    def finish(self, tree: Tree) -> None:
        """A test ends."""
        self.running.remove(tree)
        heads = frozenset(one.head for one in tree.changes)
        works = self.works(self.content | heads)
        if works and tree.base == self.base:
            self.green.add((self.content, heads))
        self.take(self.pool.tested(tree, "green" if works else "red"))

    def offer(self) -> None:
        """Tell the pool what may be merged."""
        self.take(self.pool.offer(list(self.offered.values())))


class Pool(RuleBasedStateMachine):
    """Pushes, approvals taken back, tests that end in any order, foreign commits and restarts."""

    @initialize(batch=st.integers(1, 5), ahead=st.integers(1, 3))
    def begin(self, batch: int, ahead: int) -> None:
        self.world = World(batch, ahead)
        self.next = 0

    @rule(bad=st.booleans(), priority=st.integers(0, 1))
    def add(self, bad: bool, priority: int) -> None:
        self.next += 1
        head = f"head-{self.next}"
        if bad:
            self.world.bad.add(head)
        elif self.next % 4 == 0:
            self.world.clashing.add(frozenset({head, f"head-{self.next - 1}"}))
        self.world.offered[self.next] = Candidate(self.next, head, priority)
        self.world.offer()

    @precondition(lambda self: self.world.offered)
    @rule(data=st.data())
    def push(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.world.offered)))
        self.next += 1
        self.world.offered[number] = Candidate(number, f"head-{self.next}")
        self.world.offer()

    @precondition(lambda self: self.world.offered)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        del self.world.offered[data.draw(st.sampled_from(sorted(self.world.offered)))]
        self.world.offer()

    @precondition(lambda self: self.world.running)
    @rule(data=st.data())
    def test_ends(self, data: st.DataObject) -> None:
        self.world.finish(data.draw(st.sampled_from(self.world.running)))

    @rule()
    def foreign_commit(self) -> None:
        self.world.commit += 1
        self.world.take(self.world.pool.moved(self.world.base))

    @rule()
    def restart(self) -> None:
        world = self.world
        world.running, world.pool = [], MergePool(world.base, world.batch, world.ahead)
        world.offer()

    @invariant()
    def branch_is_green(self) -> None:
        if hasattr(self, "world"):
            assert self.world.works(self.world.content)
            assert len(self.world.running) <= self.world.ahead


TestPool = Pool.TestCase
TestPool.settings = settings(
    max_examples=300 if os.environ.get("PILOTHOUSE_THOROUGH") else 30, stateful_step_count=40, deadline=None
)


@pytest.mark.parametrize("batch", [1, 5, 20])
def test_all_good_changes_are_merged_and_all_bad_ones_put_out(batch: int) -> None:
    chosen = random.Random(batch)
    world = World(batch)
    for number in range(1, 41):
        head = f"head-{number}"
        if chosen.random() < 0.15:
            world.bad.add(head)
        world.offered[number] = Candidate(number, head)
    world.offer()
    tests = 0
    while world.running:
        world.finish(chosen.choice(world.running))
        tests += 1
    assert world.content == {f"head-{number}" for number in range(1, 41)} - world.bad
    assert world.out == world.bad
    assert tests <= 40 if batch == 1 else tests < 45


def test_a_red_batch_is_halved_until_the_change_that_breaks_is_known() -> None:
    world = World(batch=4, ahead=1)
    world.bad.add("head-3")
    for number in range(1, 5):
        world.offered[number] = Candidate(number, f"head-{number}")
    world.offer()
    sizes = []
    while world.running:
        sizes.append(len(world.running[0].changes))
        world.finish(world.running[0])
    assert sizes[:2] == [4, 2]
    assert world.out == {"head-3"}
    assert world.content == {"head-1", "head-2", "head-4"}


def test_priority_goes_first() -> None:
    pool = MergePool("c0", batch=1)
    steps = pool.offer([Candidate(1, "a"), Candidate(7, "b", priority=1)])
    assert [step.tree.changes[0].number for step in steps] == [7]
