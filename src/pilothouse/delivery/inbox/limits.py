"""How patient the inbox is, and how long it remembers."""

from __future__ import annotations

from dataclasses import dataclass

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Limits:
    """All in seconds.

    `pauses` come before the second and each further attempt; after the last one the event is set aside. A lease ends
    when its holder has not renewed it for so long: then another process takes the event. `contents` is how long it is
    kept what events said, `ids` that they were seen: within that time a replayed delivery is refused. `polling` is how
    often other processes' events are looked for; those of this process wake at once.
    """

    lease: float = 60.0
    pauses: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0, 600.0)
    contents: float = 30 * _DAY
    ids: float = 400 * _DAY
    polling: float = 2.0

    @property
    def attempts(self) -> int:
        """How often an event is tried at most."""
        return len(self.pauses) + 1
