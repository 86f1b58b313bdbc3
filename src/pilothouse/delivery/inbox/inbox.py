"""The inbox: events go in from webhooks, polls and the built-in forge, and come out in order, each once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, exc

from pilothouse.control.opening import open_database
from pilothouse.control.owning import me
from pilothouse.delivery.forges import Event, event_from_json, event_to_json
from pilothouse.delivery.inbox import store
from pilothouse.delivery.inbox.committing import Commits
from pilothouse.delivery.inbox.limits import Limits
from pilothouse.delivery.inbox.record import Arrival, Kept
from pilothouse.delivery.inbox.waking import Bell

T = TypeVar("T")
_LONGEST_LANE = 500
_LONGEST_REASON = 2_000
_PAGE = 500
_DIGITS = 64


class InboxError(Exception):
    """The database of events cannot be opened."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An event that this process works on, until it says `done` or `failed`, or its lease ends."""

    id: int
    event: Event
    attempt: int
    received: float
    owner: str


class Inbox:
    """Keeps events and hands them out. All of it may be used from any thread and any event loop."""

    def __init__(self, url: str, limits: Limits = Limits(), clock: Callable[[], float] = time.time) -> None:
        """`url` as SQLAlchemy writes it. Raises `InboxError` where it cannot be opened."""
        try:
            self._database = open_database(url)
        except (exc.SQLAlchemyError, OSError) as error:
            raise InboxError(f"events cannot be kept: {getattr(error, 'orig', None) or error}") from None
        self.limits = limits
        self._clock = clock
        self._commits = Commits(self._database)
        self._bell = Bell()
        self._count = itertools.count()

    def close(self) -> None:
        """Write what is left and let go of the database."""
        self._commits.close()
        self._database.dispose()

    # -- in

    async def put(self, event: Event, digest: str = "") -> bool:
        """Keep an event; when this returns it is on the disk, and who waits for it was woken.

        `digest` is the SHA-256 (hex) of the bytes that were signed, where there were any. False when the delivery, or
        the same bytes under another id, were seen before: then nothing was done.
        """
        return await self.put_all((event,), digest)

    async def put_all(self, events: Sequence[Event], digest: str = "") -> bool:
        """Keep the events of one delivery, all or none: False when the first was seen before."""
        new = await self._commits.committed(self._putting(events, digest))
        if new:
            self._bell.ring()
        return new

    def put_now(self, event: Event, digest: str = "") -> bool:
        """The same for one event and callers without an event loop; blocks."""
        new = self._commits.give(self._putting((event,), digest)).result()
        if new:
            self._bell.ring()
        return new

    async def ignore(self, forge: str, delivery: str, kind: str, reason: str, digest: str = "") -> bool:
        """Keep that something came which nobody here wants, and why. False when it was seen before."""
        arrival = Arrival(forge, delivery, digest or _sha(delivery), "", "", 0, kind, "")
        now = self._clock()
        return await self._commits.committed(lambda on: store.put(on, arrival, now, "ignored", reason))

    def _putting(self, events: Sequence[Event], digest: str) -> Callable[[Connection], bool]:
        arrivals = [_arrival(event, f"{digest}/{place}" if place else digest) for place, event in enumerate(events)]
        now = self._clock()

        def put(on: Connection) -> bool:
            if not store.put(on, arrivals[0], now):
                return False
            for arrival in arrivals[1:]:
                store.put(on, arrival, now)
            return True

        return put

    # -- out

    async def take(self) -> Taken:
        """The next event that may be worked on; waits for one."""
        with self._bell.listening() as heard:
            while True:
                heard.clear()
                if taken := await self.take_now():
                    return taken
                await self._pause(heard)

    async def take_now(self) -> Taken | None:
        """The next event that may be worked on; None when there is none at the moment."""
        if not await asyncio.to_thread(self._reading, store.has_due, self._clock()):
            return None
        now, owner = self._clock(), f"{me()}:{next(self._count)}"
        until, attempts = now + self.limits.lease, self.limits.attempts
        taking = asyncio.ensure_future(self._commits.committed(lambda on: store.take(on, owner, now, until, attempts)))
        try:
            kept = await asyncio.shield(taking)
        except asyncio.CancelledError:
            # It may have been taken all the same, and nobody would work on it until the lease ends.
            if kept := await taking:
                await self.give_back(_as_taken(kept, owner))
            raise
        return _as_taken(kept, owner) if kept else None

    async def done(self, taken: Taken) -> bool:
        """It is worked off. False when the lease was lost, and another process may have worked on it too."""
        now = self._clock()
        held = await self._commits.committed(lambda on: store.done(on, taken.id, taken.owner, now))
        # The next event of its lane may be waiting for just that.
        self._bell.ring()
        return held

    async def failed(self, taken: Taken, reason: str, wait: float = 0.0, for_good: bool = False) -> float | None:
        """It could not be worked off: when it is tried again (after `wait` seconds at least), None for never."""
        now, reason = self._clock(), reason[:_LONGEST_REASON]
        if for_good or taken.attempt > len(self.limits.pauses):
            await self._commits.committed(lambda on: store.aside(on, taken.id, taken.owner, now, reason))
            self._bell.ring()
            return None
        due = now + max(wait, self.limits.pauses[taken.attempt - 1])
        await self._commits.committed(lambda on: store.again(on, taken.id, taken.owner, due, reason))
        self._bell.ring()
        return due

    async def give_back(self, taken: Taken) -> None:
        """It was not tried: let another process have it at once."""
        now = self._clock()
        await self._commits.committed(lambda on: store.give_back(on, taken.id, taken.owner, now))
        self._bell.ring()

    async def renew(self, taken: Taken) -> bool:
        """Hold on to it for another lease. False when it was lost."""
        until = self._clock() + self.limits.lease
        return await self._commits.committed(lambda on: store.renew(on, taken.id, taken.owner, until))

    # -- to look at

    def events(self, **asked: Any) -> list[Kept]:
        """What there is: `repository`, `number`, `state`, `since`, `after`, `limit`, `newest` as in `store.listed`."""
        return self._reading(lambda on: store.listed(on, **asked))

    def event(self, key: int) -> Kept | None:
        """One by its number, or None."""
        return self._reading(store.one, key)

    def every(self, **asked: Any) -> Iterator[Kept]:
        """All that fits, in the order in which it came, page by page."""
        after = 0
        while page := self.events(**asked, after=after, limit=_PAGE, newest=False):
            yield from page
            after = page[-1].id

    def counts(self) -> dict[str, int]:
        """How many events there are, by state."""
        return self._reading(store.counts)

    async def retry(self, key: int) -> bool:
        """Try one again that was set aside. False when there is no such one."""
        now = self._clock()
        wanted = await self._commits.committed(lambda on: store.retry(on, key, now))
        self._bell.ring()
        return wanted

    async def forget(self) -> int:
        """Drop what is past its retention; how many events lost their contents."""
        contents, ids = self._clock() - self.limits.contents, self._clock() - self.limits.ids
        return await self._commits.committed(lambda on: store.forget(on, contents, ids))

    def _reading(self, question: Callable[..., T], *arguments: Any) -> T:
        with self._database.connect() as connection:
            return question(connection, *arguments)

    async def _pause(self, heard: asyncio.Event) -> None:
        due = await asyncio.to_thread(self._reading, store.next_due)
        wait = self.limits.polling
        if due is not None:
            # An event that is due but stands behind another of its lane is woken for by that one's end.
            wait = min(wait, max(due - self._clock(), 0.05))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await heard.wait()


def _arrival(event: Event, digest: str) -> Arrival:
    return Arrival(
        event.forge, event.delivery, digest if len(digest) == _DIGITS else _sha(digest or event.delivery), lane(event),
        event.repository, event.number, f"{event.kind}.{event.action}" if event.action else event.kind,
        event_to_json(event),
    )  # fmt: skip


def _as_taken(kept: Kept, owner: str) -> Taken:
    return Taken(kept.id, event_from_json(kept.content), kept.attempts, kept.received, owner)


def lane(event: Event) -> str:
    """What an event has to keep its order in: its pull request, else its ref or commit, else its repository."""
    rest = ""
    if event.number:
        rest = f"#{event.number}"
    elif event.ref is not None:
        rest = f"@{event.ref.ref}"
    elif event.commit:
        rest = f":{event.commit}"
    whole = f"{event.forge} {event.repository}{rest}"
    return whole if len(whole) <= _LONGEST_LANE else _sha(whole)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
