"""Of several processes one drives a branch's merge pool, and each is seen by the others while it works.

A branch is claimed by whoever first has something to do with its pool, and stays its for as long as there is something
to wait for. Others ask it to look (`DeliveryStore.nudge`). When it ends, another takes over from what is written down.
"""

from __future__ import annotations

import hashlib
import threading

from pilothouse.control.claiming import Claim, ended
from pilothouse.control.owning import me
from pilothouse.delivery.acting.store import DeliveryStore

# Longer than fetching and pushing take: what another takes over is tested anew there.
_SECONDS = 60.0


class Claims:
    """What one process has claimed of one forge's branches. May be used from any thread."""

    def __init__(self, store: DeliveryStore, forge: str, owner: str = "") -> None:
        """`owner` is who claims, by default this process."""
        self._store, self._forge, self._owner = store, forge, owner
        self._claims: dict[tuple[str, str], Claim] = {}
        self._guard = threading.Lock()

    def of(self, repository: str, branch: str) -> Claim:
        """The claim to a branch, whosever it is."""
        with self._guard:
            found = self._claims.get((repository, branch))
            if found is None:
                name = _name("pool", self._forge, repository, branch)
                found = self._claims[repository, branch] = Claim(self._store.database, name, self._owner, _SECONDS)
            return found

    def let_go(self) -> None:
        """Let others have all of them at once."""
        with self._guard:
            for claim in self._claims.values():
                if claim.terms:
                    claim.let_go()


class Presence:
    """What a process that runs jobs shows of itself, and sees of others."""

    def __init__(self, store: DeliveryStore, owner: str = "") -> None:
        self._store, self.owner = store, owner or me()
        self._claim = Claim(store.database, _name("jobs", self.owner), self.owner)

    def show(self) -> None:
        """Say that this process is there; now and then."""
        self._claim.held()

    def has_ended(self, owner: str) -> bool:
        """Whether a process that showed itself is not there any more."""
        return owner != self.owner and ended(self._store.database, _name("jobs", owner), owner)

    def leave(self) -> None:
        """This process does nothing more."""
        self._claim.let_go()


def _name(*parts: str) -> str:
    # Names of repositories and branches are longer than the column, and anybody's.
    return f"{parts[0]}:{hashlib.sha256(chr(10).join(parts[1:]).encode()).hexdigest()[:48]}"
