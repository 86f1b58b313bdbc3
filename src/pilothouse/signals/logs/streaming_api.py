"""Our own API for the command line and the page: lines as they are found, what they cost, their shapes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from starlette.responses import StreamingResponse
from starlette.routing import Route

from pilothouse.engine import BudgetExceededError, EngineError
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.answering import counted, priced
from pilothouse.signals.logs.context import around
from pilothouse.signals.logs.logql import parse
from pilothouse.signals.logs.patterns import of_release, shapes
from pilothouse.signals.logs.questions import PARAMETERS, asked
from pilothouse.signals.logs.searching import LineQuestion, Search
from pilothouse.signals.logs.streams import streams
from pilothouse.signals.logs.tailing import Tail
from pilothouse.signals.timerange import NANOSECONDS, parse_range, to_rfc3339
from pilothouse.signals.wire import answer, number, only, time_range, waiting, wanted

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine
    from pilothouse.signals.logs.pipeline import Entry

_RANGE = ("start", "end", "since")
_MOST_BYTES = 100_000_000_000
_PAUSE = 0.4
JSON_LINES = "application/x-ndjson"


def routes(engine: Engine) -> list[Route]:
    """`/api/logs/query`, `/tail`, `/price` and `/patterns`."""

    async def query(request: Request) -> Response:
        only(request, *PARAMETERS, *_RANGE, "limit", "direction", "context", "most_bytes", "count")
        question = _question(request)
        if request.query_params.get("count"):
            return answer({"count": await waiting(counted, engine, question.query, question.within)})
        context = number(request, "context", 0, 0, 100)
        return StreamingResponse(_pages(engine, request, question, context), media_type=JSON_LINES)

    async def tail(request: Request) -> Response:
        only(request, *PARAMETERS, *_RANGE, "limit")
        start = time_range(request, "10s").start
        tailed = Tail(engine, asked(request), start, number(request, "limit", 1000, 1, 10_000))
        return StreamingResponse(_followed(request, tailed), media_type=JSON_LINES)

    async def price(request: Request) -> Response:
        only(request, *PARAMETERS, *_RANGE)
        text = request.query_params.get("query", "")
        metric = text.strip() and not text.strip().startswith("{") and "(" in text
        found = parse(text) if metric else asked(request)
        return answer({"price": (await waiting(priced, engine, found, time_range(request))).described()})

    async def patterns(request: Request) -> Response:
        only(request, *PARAMETERS, *_RANGE, "step", "new_since", "new_in")
        within, about, known = time_range(request), asked(request), None
        if request.query_params.get("new_since"):
            if request.query_params.get("new_in"):
                raise BadRequestError("new_in: give either new_in or new_since, not both", "new_in")
            border = parse_range(wanted(request, "new_since"), None, None).start
            known = about, type(within)(within.start, border)
            within = type(within)(border, within.end)
        elif version := request.query_params.get("new_in"):
            known = of_release(about, version, others=True), within
            about = of_release(about, version)
        step = number(request, "step", max(int(within.seconds / 60), 1), 1, 86400) * NANOSECONDS
        found = await waiting(shapes, engine, about, within, step, known)
        return answer({"patterns": [shape.described() for shape in found]})

    return [
        Route("/api/logs/query", query),
        Route("/api/logs/tail", tail),
        Route("/api/logs/price", price),
        Route("/api/logs/patterns", patterns),
    ]


def _question(request: Request) -> LineQuestion:
    direction = request.query_params.get("direction", "backward")
    if direction not in ("backward", "forward"):
        raise BadRequestError(f"direction: {direction!r} is not backward or forward", "direction")
    return LineQuestion(
        asked(request), time_range(request), number(request, "limit", 100, 1, 1_000_000), direction == "forward",
        number(request, "most_bytes", _MOST_BYTES, 0, 10**15),
    )  # fmt: skip


async def _pages(engine: Engine, request: Request, question: LineQuestion, context: int) -> AsyncIterator[str]:
    """A line of JSON for the price, for each log line, for what is done so far, and at last for how it ended."""
    alive = True
    search = Search(engine, question, wanted=lambda: alive)
    pages = search.pages()
    started, found, complete, covered = time.monotonic(), 0, False, question.within
    known = await waiting(streams, engine, question.query.matchers, question.within) if context else {}
    try:
        expected = await waiting(priced, engine, question.query, question.within)
        yield _json({"price": expected.described()})
        while (page := await waiting(next, pages, None)) is not None:
            for entry in page.entries:
                yield _json({"log": await waiting(_with_context, engine, known, entry, context)})
            found, complete, covered = found + len(page.entries), page.complete, page.covered
            if not page.entries:
                yield _json({"progress": _progress(search, covered.start, covered.end)})
            if await request.is_disconnected():
                return
    except BudgetExceededError as error:
        yield _json({"error": {"code": "over_budget", "message": f"the question takes more than it may: {error}"}})
        return
    except (EngineError, BadRequestError) as error:
        yield _json({"error": {"code": "failed", "message": str(error)}})
        return
    finally:
        alive = False
    end: dict[str, Any] = _progress(search, covered.start, covered.end)
    end |= {"lines": found, "complete": complete, "took_seconds": round(time.monotonic() - started, 3)}
    if not complete:
        place = covered.end if question.forward else covered.start
        end["next"] = {"start" if question.forward else "end": to_rfc3339(place)}
    yield _json({"end": end})


def _progress(search: Search, start: int, end: int) -> dict[str, Any]:
    return {"covered": [to_rfc3339(start), to_rfc3339(end)], "read": search.read.described()}


def _with_context(engine: Engine, known: Any, entry: Entry, context: int) -> dict[str, Any]:
    said = described(entry)
    if context:
        before, after = around(engine, known, entry, context)
        said["before"], said["after"] = [described(one) for one in before], [described(one) for one in after]
    return said


def described(entry: Entry) -> dict[str, Any]:
    """A line with its three kinds of labels."""
    return {
        "time": to_rfc3339(entry.time), "line": entry.line, "stream": entry.stream_labels(),
        "metadata": dict(entry.metadata), "parsed": entry.parsed_labels(),
    }  # fmt: skip


async def _followed(request: Request, tailed: Tail) -> AsyncIterator[str]:
    """Lines as they come; an empty line now and then says that the connection lives."""
    while not await request.is_disconnected():
        try:
            found = await waiting(tailed.poll)
        except EngineError as error:
            yield _json({"error": {"code": "failed", "message": str(error)}})
            return
        yield "".join(_json({"log": described(entry)}) for entry in found) or "\n"
        await asyncio.sleep(_PAUSE)


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


__all__ = ["described", "routes"]
