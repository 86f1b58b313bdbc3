"""A small server that answers what docs/architecture.md says, so that the page can be tested by itself.

It serves the built page and a made-up world (`standin_world`). It is for tests and for working on the page, and
no part of the package: `python -m tests.ui.standin`.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.ui import standin_world as world

PAGE = Path(__file__).resolve().parents[2] / "src" / "pilothouse" / "server" / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def standin(page: Path = PAGE, *, empty: bool = False) -> Starlette:
    """The application. `empty` answers as a server that nothing was sent to yet."""

    async def status(request: Request) -> Response:
        return JSONResponse(world.status())

    async def releases(request: Request) -> Response:
        return JSONResponse({"releases": [] if empty else world.releases()})

    async def index(request: Request) -> Response:
        return FileResponse(page / "index.html", headers={"content-security-policy": POLICY})

    return Starlette(
        routes=[
            Route("/api/status", status),
            Route("/api/releases", releases),
            Route("/api/compare", compare),
            Route("/api/verdicts/7", answer(lambda _: world.comparison("checkout", "1.0.0", "2.0.0"))),
            Route("/api/rollouts", answer(lambda _: {"rollouts": []})),
            Route("/api/slos", answer(world.slos)),
            Route("/api/hazards", answer(world.hazards)),
            Route("/api/hazards/rules", answer(world.rules)),
            Route("/api/mesh", answer(lambda _: {"source": None, "hint": "mesh_config"})),
            Route("/api/environments", answer(lambda _: {"file": None, "environments": []})),
            Route("/api/forge/repositories", answer(lambda _: {"repositories": []})),
            Route("/api/pipelines", answer(lambda _: {"directory": None, "pipelines": []})),
            Route("/api/metrics/range", answer(world.metric_range)),
            Route("/api/traces/durations", answer(world.durations)),
            Route("/api/profiles/types", answer(world.profile_types)),
            Route("/api/profiles/diff", answer(world.profile_diff)),
            Route("/api/{rest:path}", missing),
            Mount("/assets", StaticFiles(directory=page / "assets")),
            Route("/{rest:path}", index),
        ]
    )


async def compare(request: Request) -> Response:
    """The verdict on a pair of versions; `broken` has no such baseline."""
    asked = request.query_params
    if asked["service"] == "broken":
        return problem(400, "bad_request", "The baseline 0.0.0 was never seen.", "baseline")
    return JSONResponse(world.comparison(asked["service"], asked["baseline"], asked["candidate"]))


def answer(make: world.Maker):  # type: ignore[no-untyped-def]
    """A handler that gives what `make` makes of the query."""

    async def handler(request: Request) -> Response:
        return JSONResponse(make(dict(request.query_params)))

    return handler


async def missing(request: Request) -> Response:
    """No such call."""
    return problem(404, "not_found", f"There is no {request.url.path}.")


def problem(status: int, code: str, message: str, field: str | None = None) -> Response:
    """An error as the API gives it."""
    return JSONResponse({"error": {"code": code, "message": message, "field": field}}, status_code=status)


@contextlib.contextmanager
def serving(app: Starlette, port: int = 0) -> Iterator[str]:
    """Serves on a port of 127.0.0.1 in a thread; gives the address without a slash at its end."""
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def main() -> None:
    """Serves until interrupted, for work on the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=4000)
    parser.add_argument("--empty", action="store_true", help="answer as a server that nothing was sent to")
    arguments = parser.parse_args()
    with (
        serving(standin(empty=arguments.empty), arguments.port) as address,
        contextlib.suppress(KeyboardInterrupt),
    ):
        print(address, flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
