"""Concurrency groups: runs that must not run beside each other, waiting in order or taking each other's place.

A run says so by annotations, which a cluster ignores:

    pilothouse.dev/concurrency-group: deploy-production
    pilothouse.dev/concurrency: queue          # or: cancel-running, cancel-waiting, or a number for how many at once
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from pilothouse.delivery.pipelines import times
from pilothouse.delivery.pipelines.conditions import Condition

GROUP = "pilothouse.dev/concurrency-group"
HOW = "pilothouse.dev/concurrency"
_LOOK = 0.2


@dataclass(frozen=True, slots=True)
class Group:
    """The group of a run: its name (empty for none), how many may run at once, whether it ends those before it."""

    name: str = ""
    most: int = 1
    cancels: bool = False
    supersedes: bool = False


def group_of(run: Any) -> Group:
    """What a run's annotations ask for."""
    name = run.annotations.get(GROUP, "")
    how = run.annotations.get(HOW, "queue")
    return Group(
        name,
        int(how) if how.isdigit() and int(how) else 1,
        how == "cancel-running",
        how in ("cancel-running", "cancel-waiting"),
    )


class Queue:
    """Lets runs wait for their turn; the order is that in which they were asked for, over all processes."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._cancelled: set[str] = set()

    async def wait(self, run: Any) -> bool:
        """Until it is the run's turn; False when it was cancelled while it waited."""
        group = group_of(run)
        if not group.name:
            return True
        while True:
            before = self._before(run, group)
            if run.uid in self._cancelled or self._store.wanted([run.uid]):
                now = times.now()
                run.status = {
                    "startTime": times.written(now),
                    "completionTime": times.written(now),
                    "conditions": [
                        Condition("False", "Cancelled", f"cancelled while waiting in {group.name}").to_json()
                    ],
                }
                return False
            if len(before) < group.most:
                return True
            for other in before:
                if (group.cancels or (group.supersedes and not other.started)) and not other.wanted:
                    self._store.want(other.uid, "Cancelled")
            await asyncio.sleep(_LOOK)

    def cancel(self, uid: str) -> None:
        """A run that waits will not run."""
        self._cancelled.add(uid)

    def leave(self, run: Any) -> None:
        """A run is over."""
        self._cancelled.discard(run.uid)

    def _before(self, run: Any, group: Group) -> list[Any]:
        """The unfinished runs of the group that were asked for earlier."""
        found = sorted(
            self._store.runs(limit=1000, unfinished=True, concurrency=group.name),
            key=lambda one: (one.created, one.uid),
        )
        uids = [one.uid for one in found]
        return found[: uids.index(run.uid)] if run.uid in uids else found
