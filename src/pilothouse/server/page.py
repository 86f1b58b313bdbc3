"""The web page: the files that `ui/` was built into, or a sentence that says how to build them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

_FILES = Path(__file__).parent / "page"
_MISSING = "The page is not built. In a clone, run `make page`; the API is at /api/openapi.json.\n"


def routes() -> list[BaseRoute]:
    """Assets by name; any other path without a dot is the page, whose router takes it from there."""
    if not (_FILES / "index.html").is_file():
        return [Route("/", _missing)]
    assets = Mount("/assets", StaticFiles(directory=_FILES / "assets", check_dir=False))
    return [assets, Route("/{path:path}", _page)]


async def _missing(request: Request) -> Response:
    return PlainTextResponse(_MISSING, 503)


async def _page(request: Request) -> Response:
    path = request.path_params["path"]
    if path.startswith("api/"):
        raise HTTPException(404)
    name = path if "." in path else "index.html"
    file = (_FILES / name).resolve()
    if not file.is_relative_to(_FILES) or not file.is_file():
        raise HTTPException(404)
    return FileResponse(file, headers={"cache-control": "no-cache"})
