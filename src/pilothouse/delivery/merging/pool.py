"""The pool of one branch: trees of changes on top of each other, tested ahead, merged in order.

Speculation as in Zuul: the first change is tested on the branch, the second on the branch with the first, and so
on, each as a whole tree. When the tree of all is green, all are merged at once; when one is red, halves are tested
until the change that breaks is known, and it is put out. The pool never merges a tree that was not tested green on
exactly the commit that the branch has. What it asks for and what it is told are values; it does nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pilothouse.delivery.forges.model import MergeMethod

Outcome = Literal["green", "red"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change that may be merged: its number and head. Higher priority goes first, then the lower number.

    How it is merged decides which commit the branch gets: another method is another candidate, and is tested anew.
    """

    number: int
    head: str
    priority: int = 0
    method: MergeMethod = "merge"


@dataclass(frozen=True, slots=True)
class Tree:
    """Changes, in order, on top of a commit of the branch."""

    base: str
    changes: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done: `test` a tree, `merge` it, `abort` its test, or put `out` its only change, with a reason."""

    kind: Literal["test", "merge", "abort", "out"]
    tree: Tree
    reason: str = ""


@dataclass(slots=True)
class MergePool:
    """One branch's pool: at most `batch` changes are tested together, and `ahead` trees at a time."""

    base: str
    batch: int = 5
    ahead: int = 2
    waiting: dict[int, Candidate] = field(default_factory=dict)
    running: list[Tree] = field(default_factory=list)
    results: dict[Tree, Outcome] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)

    def offer(self, candidates: list[Candidate]) -> list[Step]:
        """All changes that may be merged now: what is not among them any more, or has a new head, is out."""
        self.waiting = {one.number: one for one in candidates if self.refused.get(one.number) != one.head}
        self.refused = {one.number: one.head for one in candidates if self.refused.get(one.number) == one.head}
        return self._stale() + self.plan()

    def moved(self, base: str) -> list[Step]:
        """The branch has another commit than the pool knew: nothing that was tested counts any more."""
        if base == self.base:
            return []
        self.base = base
        self.results.clear()
        return self._stale() + self.plan()

    def tested(self, tree: Tree, outcome: Outcome) -> list[Step]:
        """A test ended. What was not asked for, or is not asked any more, is passed over."""
        if tree not in self.running:
            return []
        self.running.remove(tree)
        self.results[tree] = outcome
        return self.plan()

    def merged(self, tree: Tree, base: str) -> list[Step]:
        """A tree was merged, and the branch is now at `base`: trees that stood on it stand on the branch."""
        gone = {one.number for one in tree.changes}
        self.waiting = {number: one for number, one in self.waiting.items() if number not in gone}
        self.base = base
        count = len(tree.changes)
        kept = [one for one in self.running if one.base == tree.base and one.changes[:count] == tree.changes]
        ended = [Step("abort", one, "the branch moved on") for one in self.running if one not in kept]
        # The merge made the very tree that these were tested on: their tests go on for the changes that are left.
        self.running = [Tree(base, one.changes[count:]) for one in kept if one.changes[count:]]
        self.results = {
            Tree(base, one.changes[count:]): outcome
            for one, outcome in self.results.items()
            if one.base == tree.base and one.changes[:count] == tree.changes and one.changes[count:]
        }
        return ended + self.plan()

    def plan(self) -> list[Step]:
        """What is to be done now."""
        queue = sorted(self.waiting.values(), key=lambda one: (-one.priority, one.number))
        if not queue:
            return []
        steps: list[Step] = []
        whole = self._largest_green(queue)
        if whole is not None:
            return [Step("merge", whole)]
        first = Tree(self.base, tuple(queue[:1]))
        if self.results.get(first) == "red":
            only = queue[0]
            self.refused[only.number] = only.head
            del self.waiting[only.number]
            steps.append(Step("out", first, "its tests fail on what it would be merged onto"))
            return steps + self._stale() + self.plan()
        for tree in self._wanted(queue):
            if len(self.running) >= self.ahead:
                break
            if tree not in self.running and tree not in self.results:
                self.running.append(tree)
                steps.append(Step("test", tree))
        return steps

    def _largest_green(self, queue: list[Candidate]) -> Tree | None:
        for count in range(min(len(queue), self.batch), 0, -1):
            tree = Tree(self.base, tuple(queue[:count]))
            if self.results.get(tree) == "green":
                # A larger tree that is still being tested may take more along, but waiting for it costs everybody.
                return tree
        return None

    def _wanted(self, queue: list[Candidate]) -> list[Tree]:
        """Trees in the order in which they help: the whole batch, then halves of what is red, then the first alone."""
        count = min(len(queue), self.batch)
        sizes = []
        while count >= 1:
            sizes.append(count)
            tree = Tree(self.base, tuple(queue[:count]))
            if self.results.get(tree) != "red":
                break
            count //= 2
        if 1 not in sizes:
            sizes.append(1)
        return [Tree(self.base, tuple(queue[:size])) for size in sizes]

    def _stale(self) -> list[Step]:
        """Tests whose tree can no longer be merged."""

        def holds(tree: Tree) -> bool:
            return tree.base == self.base and all(self.waiting.get(one.number) == one for one in tree.changes)

        ended = [Step("abort", tree, "a change in it, or the branch, is another now") for tree in self.running
                 if not holds(tree)]  # fmt: skip
        self.running = [tree for tree in self.running if holds(tree)]
        self.results = {tree: outcome for tree, outcome in self.results.items() if holds(tree)}
        return ended
