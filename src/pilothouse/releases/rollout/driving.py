"""The thread that moves all open rollouts, a little at a time."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog

from pilothouse.releases.rollout.advancing import Crew, advance
from pilothouse.releases.store.rollouts import ConflictError

if TYPE_CHECKING:
    from pilothouse.releases.rollout.asking import Asking
    from pilothouse.releases.rollout.run import Run
    from pilothouse.releases.rollout.traffic import Shifters, TrafficShifter
    from pilothouse.releases.store import RolloutStore

log = structlog.get_logger(__name__)


def _http(settings: Mapping[str, Any]) -> TrafficShifter:
    # The client is imported with the first rollout, not at every start of the server.
    from pilothouse.releases.rollout.http_hook import HttpHook

    return HttpHook(settings)


BUILT_IN: Shifters = {"http": _http}
_EVERY = 1.0
_CLAIM_SECONDS = 120.0
_MOST_MOVES = 10


class Driver:
    """Moves rollouts until it is stopped. With several processes on one database each rollout has one driver."""

    def __init__(
        self, store: RolloutStore, asking: Asking, shifters: Shifters = BUILT_IN, every: float = _EVERY
    ) -> None:
        self._store, self._asking, self._shifters, self._every = store, asking, shifters, every
        self._owner = uuid.uuid4().hex
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="rollouts", daemon=True)

    @property
    def shifters(self) -> Shifters:
        """What can shift traffic, by name."""
        return self._shifters

    def start(self) -> None:
        """Begin, with whatever an earlier process left open."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the move at hand; open rollouts go on when a process starts again."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def drive(self, now: float) -> None:
        """Look at every open rollout once."""
        for run in self._store.all(open_only=True, limit=1000):
            if self._stopped.is_set():
                return
            try:
                self._moved(run, now)
            except ConflictError:
                continue
            except Exception as error:
                # One rollout that cannot be moved must not hold up the others.
                log.error("a rollout could not be moved", rollout=run.id, reason=str(error), kind=type(error).__name__)

    def _moved(self, run: Run, now: float) -> None:
        if run.state == "paused" or not self._store.claim(run.id, self._owner, now, _CLAIM_SECONDS):
            return
        crew = Crew(self._store, self._shifter(run), self._asking)
        for _ in range(_MOST_MOVES):
            moved = advance(run, crew, now)
            if moved == run or moved.state not in ("running", "rolling_back") or self._stopped.is_set():
                return
            run = moved

    def _shifter(self, run: Run) -> TrafficShifter:
        make = self._shifters.get(run.plan.traffic.by)
        if make is None:
            return _Missing(run.plan.traffic.by)
        return make(run.plan.traffic.settings)

    def _work(self) -> None:
        while not self._stopped.wait(self._every):
            try:
                self.drive(time.time())
            except Exception as error:
                log.error("rollouts could not be looked at", reason=str(error), kind=type(error).__name__)


class _Missing:
    """Stands for a shifter that this process does not have: every move says so."""

    def __init__(self, name: str) -> None:
        self._name = name

    def shift(self, service: str, weights: object, key: str) -> None:
        """Raises."""
        raise LookupError(f"nothing here shifts traffic by {self._name!r}")

    def weights(self, service: str) -> None:
        """Not known."""
