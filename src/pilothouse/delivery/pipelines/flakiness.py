"""Flaky tasks, from history: those that failed and succeeded with the same inputs, or needed another attempt.

A task is judged by its last runs. With hashes of inputs (tasks that are cached have them) a flip is certain; without,
a success right after a failure of the same task is counted as a hint, since the code may have been mended in between.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Flaky:
    """How one task has done: `rate` is the share of its runs that are flaky, `certain` those that surely were."""

    task: str
    runs: int
    failures: int
    certain: int
    hints: int

    @property
    def rate(self) -> float:
        return (self.certain + self.hints / 2) / self.runs

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "task": self.task,
            "runs": self.runs,
            "failures": self.failures,
            "certain": self.certain,
            "hints": self.hints,
            "rate": round(self.rate, 4),
        }


def flaky(history: list[dict[str, Any]], least: float = 0.01) -> list[Flaky]:
    """The tasks whose rate is at least `least`, the worst first. `history` is newest first (`RunStore.history`)."""
    by_task: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in reversed(history):
        by_task[one["pipeline_task"]].append(one)
    found = [_judge(task, runs) for task, runs in by_task.items() if len(runs) >= _FEWEST]
    return sorted((one for one in found if one.rate >= least), key=lambda one: -one.rate)


def _judge(task: str, runs: list[dict[str, Any]]) -> Flaky:
    retried = sum(one["status"] == "True" and one["attempts"] > 1 for one in runs)
    by_inputs: dict[str, set[str]] = defaultdict(set)
    for one in runs:
        if one["inputs"]:
            by_inputs[one["inputs"]].add(one["status"])
    flips = sum(states >= {"True", "False"} for states in by_inputs.values())
    hints = sum(
        earlier["status"] == "False" and later["status"] == "True" and not later["inputs"]
        for earlier, later in pairwise(runs)
    )
    # A task that failed all the time and then was mended is not flaky: one flip in its whole life says nothing.
    hints = hints if hints > 1 else 0
    return Flaky(task, len(runs), sum(one["status"] == "False" for one in runs), retried + flips, hints)
