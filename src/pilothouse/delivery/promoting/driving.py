"""The thread that moves all promotions, a little at a time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog

from pilothouse.control.claiming import Claim
from pilothouse.delivery.environments import EnvironmentsError
from pilothouse.delivery.forges import ForgeError
from pilothouse.delivery.promoting.advancing import advance
from pilothouse.releases.store.rollouts import ConflictError

if TYPE_CHECKING:
    from pilothouse.delivery.promoting.crew import Crew
    from pilothouse.delivery.promoting.promotion import Promotion

log = structlog.get_logger(__name__)
_EVERY = 1.0
# What waits for people is looked at less and less often; an event of the forge wakes it at once.
_LONGEST = 60.0
_MOST_MOVES = 10


class Driver:
    """Moves promotions until it is stopped."""

    def __init__(self, crew: Crew, every: float = _EVERY, owner: str = "") -> None:
        """Of several processes on one database, told apart by `owner` (empty: this process), one moves them."""
        self._crew, self._every = crew, every
        self._claim = Claim(crew.store.database, "promotions", owner)
        self._waits: dict[int, tuple[float, float]] = {}
        self._woken, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="promotions", daemon=True)

    def start(self) -> None:
        """Begin, with whatever an earlier process left."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the move at hand; promotions go on when a process starts again."""
        self._stopped.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)
        self._claim.let_go()

    def wake(self, forge: str = "", repository: str = "", number: int = 0) -> None:
        """Look at once at the promotion of a pull request, or at all of them."""
        for one in self._crew.store.all(ongoing=True, limit=1000):
            if not number or (one.forge, one.repository, one.number) == (forge, repository, number):
                self._waits.pop(one.id, None)
        self._woken.set()

    def drive(self, now: float | None = None) -> None:
        """Look once at all that are due; at none while another process does."""
        if not self._claim.held():
            return
        at = time.monotonic() if now is None else now
        ongoing = self._crew.store.all(ongoing=True, limit=1000)
        for one in reversed(ongoing):
            # A look at many takes a while, and the claim may be lost meanwhile.
            if self._stopped.is_set() or not self._claim.held():
                return
            due, wait = self._waits.get(one.id, (0.0, self._every))
            if at < due:
                continue
            moved = self._moved(one)
            quick = moved or one.state == "rolling_out"
            wait = self._every if quick else min(wait * 2, _LONGEST)
            self._waits[one.id] = (at + wait, wait)
        self._waits = {one.id: self._waits[one.id] for one in ongoing if one.id in self._waits}

    def _moved(self, promotion: Promotion) -> bool:
        """Whether anything moved; one that cannot be moved must not hold up the others."""
        before = promotion
        try:
            for _ in range(_MOST_MOVES):
                after = advance(self._crew, before)
                if after.revision == before.revision or after.state == before.state:
                    return after.revision != promotion.revision
                before = after
        except ConflictError:
            return True
        except (EnvironmentsError, ForgeError) as error:
            log.warning("a promotion could not be moved", promotion=promotion.id, reason=str(error))
            self._said(before, str(error))
        except Exception as error:
            log.error("a promotion could not be moved", promotion=promotion.id, reason=str(error), exc_info=True)
            self._said(before, str(error) or type(error).__name__)
        return False

    def _said(self, promotion: Promotion, reason: str) -> None:
        """So that whoever looks at the promotion sees what the log says."""
        from dataclasses import replace

        from pilothouse.delivery.promoting.promotion import Happened

        reason = f"cannot go on: {reason}"[:2_000]
        if reason == promotion.reason:
            return
        try:
            self._crew.store.change(replace(promotion, reason=reason), Happened(time.time(), "stuck", reason))
        except ConflictError:
            return

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._woken.wait(self._every)
            self._woken.clear()
            try:
                self.drive()
            except Exception as error:
                log.error("promotions could not be looked at", reason=str(error), kind=type(error).__name__)
