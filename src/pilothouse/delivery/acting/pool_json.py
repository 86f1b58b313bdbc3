"""A merge pool as JSON and back."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.merging.pool import Candidate, MergePool, Tree

EMPTY: dict[str, Any] = {
    "base": "", "batch": 0, "ahead": 0, "waiting": [], "running": [], "results": [], "refused": [], "tests": [],
    "merging": None,
}  # fmt: skip


def written(pool: MergePool, tests: dict[Tree, tuple[str, ...]], merging: tuple[Tree, str] | None) -> dict[str, Any]:
    """All of a pool, with the jobs of its trees and the merge that was begun."""
    return {
        "base": pool.base, "batch": pool.batch, "ahead": pool.ahead,
        "waiting": [_candidate(one) for one in pool.waiting.values()],
        "running": [_tree(one) for one in pool.running],
        "results": [[_tree(one), outcome] for one, outcome in pool.results.items()],
        "refused": sorted(pool.refused.items()),
        "tests": [[_tree(one), list(uids)] for one, uids in tests.items()],
        "merging": [_tree(merging[0]), merging[1]] if merging else None,
    }  # fmt: skip


def read(content: dict[str, Any]) -> tuple[MergePool, dict[Tree, tuple[str, ...]], tuple[Tree, str] | None]:
    """What `written` wrote."""
    waiting = [Candidate(*one) for one in content["waiting"]]
    pool = MergePool(
        content["base"], content["batch"], content["ahead"], {one.number: one for one in waiting},
        [_read_tree(one) for one in content["running"]],
        {_read_tree(one): outcome for one, outcome in content["results"]},
        dict(content["refused"]),
    )  # fmt: skip
    tests = {_read_tree(one): tuple(uids) for one, uids in content["tests"]}
    merging = content["merging"]
    return pool, tests, (_read_tree(merging[0]), merging[1]) if merging else None


def differs(content: dict[str, Any], number: int, head: str, base: str) -> bool:
    """Whether a written pool has a change at another head than `head` (nothing: not waiting), or another base."""
    known = next((one[1] for one in content.get("waiting", []) if one[0] == number), "")
    out = next((one for other, one in content.get("refused", []) if other == number), "")
    return (known != head and not (head and out == head)) or bool(base and base != content.get("base"))


def is_waiting(content: dict[str, Any]) -> bool:
    """Whether a written pool waits for something that another process could go on with."""
    return bool(content["waiting"] or content["running"] or content["merging"])


def for_people(content: dict[str, Any]) -> dict[str, Any]:
    """A pool in the words of the API: the queue in its order, what is tested, what was put out."""
    queue = sorted((Candidate(*one) for one in content["waiting"]), key=lambda one: (-one.priority, one.number))
    tests = [
        {"base": base, "changes": [one[0] for one in changes], "jobs": jobs}
        for (base, changes), jobs in content["tests"]
    ]
    return {
        "base": content["base"], "batch": content["batch"], "ahead": content["ahead"],
        "queue": [
            {"number": one.number, "head": one.head, "priority": one.priority, "method": one.method} for one in queue
        ],
        "testing": tests,
        "out": [{"number": number, "head": head} for number, head in content["refused"]],
        "merging": [one[0] for one in content["merging"][0][1]] if content["merging"] else [],
    }  # fmt: skip


def _candidate(one: Candidate) -> list[Any]:
    return [one.number, one.head, one.priority, one.method]


def _tree(tree: Tree) -> list[Any]:
    return [tree.base, [_candidate(one) for one in tree.changes]]


def _read_tree(content: list[Any]) -> Tree:
    return Tree(content[0], tuple(Candidate(*one) for one in content[1]))
