"""`/api/pipelines/…`, and `/triggers/NAME` for events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pilothouse.delivery.pipelines import listing, showing
from pilothouse.delivery.pipelines.errors import PipelineError, StateError
from pilothouse.delivery.pipelines.triggers.event import TriggerError, read
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.wire import answer, body_within, json_body, number, only, waiting

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.delivery.pipelines.documents import Document
    from pilothouse.delivery.pipelines.serving import PipelineServer


def routes(server: PipelineServer, most_bytes: int = 16_000_000) -> list[Route]:
    """The calls for runs, and the door for events."""

    async def runs(request: Request) -> Response:
        if request.method == "POST":
            return await start(request)
        only(request, "pipeline", "value", "limit")
        limit, query = number(request, "limit", 50, 1, 10_000), request.query_params
        rows = await waiting(listing.rows, server.store, query.get("pipeline", ""), limit, query.get("value", ""))
        return answer({"runs": rows})

    async def pipelines(request: Request) -> Response:
        only(request)
        found = await waiting(_read, server)
        return answer({"directory": str(server.directory), "pipelines": showing.startable(found)})

    async def tasks(request: Request) -> Response:
        only(request)
        return answer(await waiting(_asked, showing.picture, server.store, request.path_params["run"]))

    async def start(request: Request) -> Response:
        body = await json_body(request)
        name, params = body.get("name"), body.get("params") or {}
        if not isinstance(name, str) or not isinstance(params, dict):
            raise BadRequestError("name: the Pipeline, Task or run to start; params: an object", "name")
        run = await _of(server, server.begin(name, params))
        return answer({"run": run}, 201)

    async def run(request: Request) -> Response:
        only(request)
        body, task_runs = await waiting(_asked, listing.described, server.store, request.path_params["run"])
        return answer({**body, "taskRuns": task_runs})

    async def cancel(request: Request) -> Response:
        body = await json_body(request)
        how = str(body.get("how") or "Cancelled")
        return answer({"run": await waiting(_asked, listing.cancel, server.store, request.path_params["run"], how)})

    async def logs(request: Request) -> Response:
        only(request, "task", "step", "follow")
        query = request.query_params
        name = (await waiting(_asked, listing.find, server.store, request.path_params["run"])).uid
        lines = listing.log_lines(
            server.store,
            server.data / "pipelines",
            name,
            query.get("task", ""),
            query.get("step", ""),
            follow=query.get("follow") == "1",
        )
        return StreamingResponse(lines, media_type="text/plain; charset=utf-8")

    async def event(request: Request) -> Response:
        raw = await body_within(request, most_bytes)
        if raw is None:
            return answer({"error": {"code": "too_large", "message": f"more than {most_bytes} bytes"}}, 413)
        name = request.path_params["listener"]
        try:
            heard = await _of(server, server.hear(name, read(raw, dict(request.headers), str(request.url))))
        except TriggerError as error:
            return answer({"error": {"code": "not_taken", "message": str(error)}}, error.status)
        found: dict[str, Any] = {"eventListener": name, "namespace": "default", "eventID": heard.identity}
        made = [f"{one.kind}/{one.name}" for one in heard.objects]
        status = 403 if heard.refused and not made else 202
        return answer({**found, "created": made, "declined": heard.declined}, status)

    return [
        Route("/api/pipelines", pipelines, methods=["GET"]),
        Route("/api/pipelines/runs", runs, methods=["GET", "POST"]),
        Route("/api/pipelines/runs/{run}", run, methods=["GET"]),
        Route("/api/pipelines/runs/{run}/tasks", tasks, methods=["GET"]),
        Route("/api/pipelines/runs/{run}/cancel", cancel, methods=["POST"]),
        Route("/api/pipelines/runs/{run}/logs", logs, methods=["GET"]),
        Route("/triggers/{listener}", event, methods=["POST"]),
    ]


async def _of(server: PipelineServer, work: Any) -> Any:
    import asyncio

    try:
        return await asyncio.wrap_future(server.call(work))
    except TriggerError:
        raise
    except PipelineError as error:
        raise BadRequestError(str(error), "name") from None


def _read(server: PipelineServer) -> list[Document]:
    try:
        return server.documents()
    except PipelineError as error:
        raise BadRequestError(str(error), "directory") from None


def _asked(question: Any, *arguments: Any) -> Any:
    try:
        return question(*arguments)
    except StateError as error:
        raise BadRequestError(str(error), "run") from None
