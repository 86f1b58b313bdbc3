"""Deletion by selector, as Loki asks for it.

Rows go at the next merge, not at once, but no question sees them from the moment of the answer (lightweight DELETE).
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pilothouse.engine import EngineError
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.compiling import compiled_stages
from pilothouse.signals.logs.logql import parse_log_query, tree
from pilothouse.signals.logs.loki_asking import moment, parameters
from pilothouse.signals.logs.reading import within_sql
from pilothouse.signals.logs.streams import streams
from pilothouse.signals.timerange import NANOSECONDS, TimeRange
from pilothouse.signals.wire import answer, waiting

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.engine import Engine


def delete(engine: Engine, query: tree.LogQuery, within: TimeRange) -> int:
    """Delete what a query with line filters means; returns how many streams it touched.

    Stages that change or parse lines are refused: what is deleted must be plain to see.
    """
    if not all(isinstance(stage, tree.LineFilter) for stage in query.stages):
        raise BadRequestError("only line filters may follow the selector of what is to be deleted", "query")
    found = streams(engine, query.matchers, within)
    if not found:
        return 0
    scope = compiled_stages(found, query.stages)
    if not scope.exact:
        raise BadRequestError("ip() cannot be used to delete", "query")
    parameters_: dict[str, Any] = dict(scope.parameters)
    where = within_sql(parameters_, found, within) + scope.where()
    bindings = dict(scope.bindings)
    condition = " AND ".join(where)
    for name, expression in reversed(bindings.items()):
        condition = condition.replace(name, f"({expression})")
    engine.command(f"DELETE FROM logs WHERE {condition}", parameters_)
    return len(found)


@dataclass
class _Requests:
    """What was asked to be deleted since this process started."""

    known: list[dict[str, Any]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def note(self, query: str, start: int, end: int) -> None:
        with self.lock:
            name = hashlib.sha256(f"{query}{start}{end}{time.time_ns()}".encode()).hexdigest()[:8]
            self.known.append(
                {
                    "request_id": name, "start_time": start // NANOSECONDS, "end_time": end // NANOSECONDS,
                    "query": query, "status": "processed", "created_at": time.time_ns() // NANOSECONDS,
                }
            )  # fmt: skip
            del self.known[:-1000]


def deletion_routes(engine: Engine, prefix: str) -> list[Route]:
    """`/delete`: POST and PUT delete, GET says what was deleted."""
    requests = _Requests()

    async def endpoint(request: Request) -> Response:
        if request.method == "GET":
            return answer(requests.known)
        if request.method == "DELETE":
            return PlainTextResponse("a deletion is done at once and cannot be taken back", 400)
        try:
            given = await parameters(request)
            now = time.time_ns()
            query, start = given.needed("query"), moment(given.get("start") or "0", now, "start")
            end = moment(given.get("end"), now, "end") if given.get("end") else now
            await waiting(delete, engine, parse_log_query(query), TimeRange(start, end))
        except BadRequestError as error:
            return PlainTextResponse(str(error), 400)
        except EngineError as error:
            return PlainTextResponse(str(error), 503)
        requests.note(query, start, end)
        return Response(status_code=204)

    return [Route(f"{prefix}/delete", endpoint, methods=["GET", "POST", "PUT", "DELETE"], name="loki-delete")]
