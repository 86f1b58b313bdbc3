"""Working events off: some side by side, each held while it is worked on, none lost when this ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy import exc

from pilothouse.delivery.forges import Event, UnavailableError
from pilothouse.delivery.inbox.inbox import Inbox, Taken

log = structlog.get_logger(__name__)
Handler = Callable[[Event], Awaitable[None]]
_FORGETTING_SECONDS = 3600.0


class SetAsideError(Exception):
    """An event that no further attempt would help; the message says why."""


async def work(inbox: Inbox, handle: Handler, side_by_side: int = 8) -> None:
    """Hand events to `handle` until cancelled. What it raises makes the event be tried again, later and later.

    `SetAsideError` sets it aside at once; `UnavailableError` waits as long as the forge asks for. Cancelled, it gives
    back what was not ended, so that another process need not wait for the leases.
    """
    free = asyncio.Semaphore(side_by_side)
    running: set[asyncio.Task[None]] = set()
    forgetting = asyncio.ensure_future(_forget(inbox))
    try:
        while True:
            await free.acquire()
            taken = await _next(inbox)
            task = asyncio.ensure_future(_one(inbox, taken, handle))
            running.add(task)
            task.add_done_callback(running.discard)
            task.add_done_callback(lambda _: free.release())
    finally:
        for task in [forgetting, *running]:
            task.cancel()
        await asyncio.gather(forgetting, *running, return_exceptions=True)


async def _next(inbox: Inbox) -> Taken:
    while True:
        try:
            return await inbox.take()
        except exc.SQLAlchemyError as error:
            log.error("events cannot be read", reason=str(getattr(error, "orig", None) or error))
            await asyncio.sleep(inbox.limits.polling)


async def _one(inbox: Inbox, taken: Taken, handle: Handler) -> None:
    holding = asyncio.ensure_future(_hold(inbox, taken))
    try:
        await handle(taken.event)
    except asyncio.CancelledError:
        await asyncio.shield(inbox.give_back(taken))
        raise
    except Exception as error:
        await _failed(inbox, taken, error)
    else:
        if not await inbox.done(taken):
            log.warning("an event took longer than its lease held", inbox_id=taken.id)
    finally:
        holding.cancel()


async def _failed(inbox: Inbox, taken: Taken, error: Exception) -> None:
    expected = isinstance(error, SetAsideError | UnavailableError)
    reason = str(error) if expected else f"{type(error).__name__}: {error}"
    wait = error.retry_after if isinstance(error, UnavailableError) else 0.0
    due = await inbox.failed(taken, reason, wait, for_good=isinstance(error, SetAsideError))
    where = {"inbox_id": taken.id, "repository": taken.event.repository, "number": taken.event.number, "reason": reason}
    if due is None:
        log.error("an event is set aside", **where)
    else:
        log.warning("an event failed and is tried again", attempt=taken.attempt, **where)


async def _hold(inbox: Inbox, taken: Taken) -> None:
    while True:
        await asyncio.sleep(inbox.limits.lease / 3)
        with contextlib.suppress(exc.SQLAlchemyError):
            if not await inbox.renew(taken):
                return


async def _forget(inbox: Inbox) -> None:
    while True:
        with contextlib.suppress(exc.SQLAlchemyError):
            await inbox.forget()
        await asyncio.sleep(_FORGETTING_SECONDS)
