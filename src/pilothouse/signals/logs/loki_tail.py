"""`/loki/api/v1/tail`: lines as they come, over a WebSocket (Loki HTTP API, "Stream logs")."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.websockets import WebSocketDisconnect

from pilothouse.engine import EngineError
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.logql import parse_log_query
from pilothouse.signals.logs.loki_answers import streams
from pilothouse.signals.logs.loki_asking import Parameters, header_flags, moment
from pilothouse.signals.logs.tailing import Tail
from pilothouse.signals.timerange import NANOSECONDS
from pilothouse.signals.wire import waiting

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from pilothouse.engine import Engine

_PAUSE = 0.4
_PING_EVERY = 10.0
_LONGEST_DELAY = 5


def tail(engine: Engine) -> Callable[[WebSocket], Awaitable[None]]:
    """The endpoint."""

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        try:
            tailed = _tail(engine, Parameters(tuple(socket.query_params.multi_items())))
        except BadRequestError as error:
            await socket.close(1008, str(error)[:120])
            return
        categorized = "categorize-labels" in header_flags(socket.headers)
        gone = asyncio.ensure_future(_until_gone(socket))
        try:
            while not gone.done():
                entries = await waiting(tailed.poll)
                if entries:
                    message = {"streams": streams(entries, categorized), "dropped_entries": None}
                    await socket.send_text(json.dumps(message, ensure_ascii=False))
                await asyncio.wait([gone], timeout=_PAUSE)
        except (WebSocketDisconnect, RuntimeError):
            return
        except EngineError as error:
            await socket.close(1011, str(error)[:120])
        finally:
            gone.cancel()

    return endpoint


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _tail(engine: Engine, given: Parameters) -> Tail:
    now = time.time_ns()
    delay = given.get("delay_for") or "0"
    if not delay.isdigit() or int(delay) > _LONGEST_DELAY:
        raise BadRequestError(f"delay_for can't be greater than {_LONGEST_DELAY}", "delay_for")
    start = moment(given.get("start"), now, "start") if given.get("start") else now - 3600 * NANOSECONDS
    return Tail(engine, parse_log_query(given.needed("query")), start, given.limit(), int(delay) * NANOSECONDS)
