"""Of several servers on one control plane, one does what goes on by itself: scraping, rules, rollouts, retention."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from pilothouse.control.claiming import Claim

log = structlog.get_logger(__name__)
_EVERY = 2.0


class Leading:
    """Holds the claim to lead where it can be had, and begins what only the leader does once it is ours.

    What has begun cannot be taken back piece by piece: a leader that finds another one in its place ends itself in
    order, to be started anew (`docs/adr/0069`).
    """

    def __init__(self, claim: Claim, begin: Callable[[], None], give_up: Callable[[], None], every: float = _EVERY):
        """`begin` is called once, `give_up` when another leads although we did, or when it cannot be begun."""
        self._claim, self._begin, self._give_up, self._every = claim, begin, give_up, every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="leading", daemon=True)
        self.leads = False
        self.reason = ""

    def start(self) -> None:
        """Lead from the start where nobody else does. Raises what `begin` raises, and SQLAlchemy's errors."""
        self._look()
        if not self.leads:
            log.info("another server leads; this one takes telemetry in and answers, and stands by")
        self._thread.start()

    def close(self) -> None:
        """Look no more. What was begun has to be ended before `let_go`."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def let_go(self) -> None:
        """Let another server lead at once."""
        if self.leads:
            self._claim.let_go()

    def _look(self) -> None:
        held = self._claim.held()
        if held and not self.leads:
            self._begin()
            self.leads = True
        elif self.leads and not held:
            self.leads = False
            self.reason = "another server leads in its place: it was cut off from the control plane for too long"

    def _work(self) -> None:
        while not self._stopped.wait(self._every):
            led = self.leads
            try:
                self._look()
            except SQLAlchemyError as error:
                # Nobody was seen in our place. What leads writes its decisions there, or not at all.
                log.warning("the control plane does not answer", reason=str(error))
            except Exception as error:
                self.reason = f"what the leader does cannot be begun: {error}"
            else:
                if self.leads and not led:
                    log.info("this server leads now")
            if self.reason:
                log.error("this server ends, to be started anew", reason=self.reason)
                self._claim.let_go()
                self._give_up()
                return
