"""Drives a rollout and kills itself, again and again: at every write and at every call, one place at a time.

    python -m tests.releases.rollout.killed DATABASE ROLLOUT WORSE_AT

Each child is a process of its own that ends with SIGKILL at one of the first five places that can be seen from outside,
in turn, before or after an act; the next one starts from what is stored. Prints how many processes it took.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

import httpx

import tests.conftest  # noqa: F401 - what clients of the tests share
from pilothouse.releases.rollout.advancing import Crew, advance
from pilothouse.releases.rollout.asking import Answer
from pilothouse.releases.rollout.http_hook import HttpHook
from pilothouse.releases.rollout.plan import Check
from pilothouse.releases.rollout.run import Event, Run
from pilothouse.releases.store import ReleaseStore


class Deaths:
    """Counts the places; dies at the wanted one."""

    def __init__(self, at: int) -> None:
        self.at, self.passed = at, 0

    def place(self) -> None:
        """One place where a process may be killed."""
        self.passed += 1
        if self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingHook(HttpHook):
    """The hook, with a death before and after each change."""

    deaths: Deaths

    def shift(self, service: str, weights: Mapping[str, int], key: str) -> None:
        self.deaths.place()
        super().shift(service, weights, key)
        self.deaths.place()


class Opinion:
    """A judge that is content until a step."""

    def __init__(self, worse_at: int) -> None:
        self._worse_at = worse_at

    def judge(self, run: Run, now: float, level: float) -> Answer:
        worse = self._worse_at >= 0 and run.step >= self._worse_at
        return Answer("worse" if worse else "no_worse", "said the judge")

    def served(self, run: Run, now: float) -> int:
        """More with each look, however many processes there were."""
        return int(now - run.since)

    def measure(self, run: Run, check: Check, now: float) -> float | None:
        return 1.0


def drive(database: str, key: int, deaths: Deaths, worse_at: int) -> None:
    """Until the rollout has ended; time passes by itself."""
    store = ReleaseStore(database)
    change = store.rollouts.change

    def dying(run: Run, *events: Event) -> Run:
        deaths.place()
        changed = change(run, *events)
        deaths.place()
        return changed

    store.rollouts.change = dying  # type: ignore[method-assign]
    run = store.rollouts.one(key)
    assert run is not None
    hook = DyingHook(run.plan.traffic.settings)
    hook.deaths = deaths
    crew = Crew(store.rollouts, hook, Opinion(worse_at))
    now = max(run.since, run.asked) + 1
    for _ in range(1000):
        run = advance(run, crew, now)
        now += 31
        if run.state not in ("running", "rolling_back"):
            return


def main(arguments: list[str]) -> None:
    """Kill, start again, and so on, until a process comes to the end of the rollout."""
    # Read before there are children, the world's certificates are read once for dozens of them.
    httpx.Client().close()
    database, key, worse_at = arguments[0], int(arguments[1]), int(arguments[2])
    for place in itertools.count(1):
        child = os.fork()
        if child == 0:
            drive(database, key, Deaths(1 + place % 5), worse_at)
            os._exit(0)
        status: Any = os.waitpid(child, 0)[1]
        if status == 0:
            print(place)
            return
        assert os.WIFSIGNALED(status), status


if __name__ == "__main__":
    main(sys.argv[1:])
