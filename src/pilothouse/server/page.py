"""The web page: the files that `ui/` was built into, or a sentence that says how to build them."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import Scope

_FILES = Path(__file__).parent / "page"
_DIGEST = re.compile(r"-[\w-]{8}\.\w+$")
_SERVED = ("/api/", "/otlp/", "/-/", "/prometheus/", "/loki/", "/tempo/", "/jaeger/", "/zipkin/", "/pyroscope/")
_MISSING = "The page is not built. In a clone, run `make page`; the API is at /api/openapi.json.\n"


def routes() -> list[BaseRoute]:
    """Assets by name; every other path is the page, whose router takes it from there."""
    if not (_FILES / "index.html").is_file():
        return [Route("/", _missing)]
    assets = Mount("/assets", _Assets(directory=_FILES / "assets", check_dir=False))
    return [assets, Route("/{path:path}", _page)]


class _Assets(StaticFiles):
    """Files as they were compressed when the page was built; kept by browsers for good where the name has a digest."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at a path below the folder; raises `HTTPException` where there is none."""
        squeezed = "gzip" in Headers(scope=scope).get("accept-encoding", "") and self.lookup_path(f"{path}.gz")[1]
        response = await super().get_response(f"{path}.gz" if squeezed else path, scope)
        response.headers["vary"] = "accept-encoding"
        if squeezed:
            response.headers["content-type"] = mimetypes.guess_type(path)[0] or "application/octet-stream"
            response.headers["content-encoding"] = "gzip"
        kept = "max-age=31536000, immutable" if _DIGEST.search(path) else "no-cache"
        response.headers["cache-control"] = kept
        return response


async def _missing(request: Request) -> Response:
    return PlainTextResponse(_MISSING, 503)


async def _page(request: Request) -> Response:
    # A path of the API that is not there must not look like a page; a release's path may well have dots in it.
    if request.url.path.startswith(_SERVED):
        raise HTTPException(404)
    return FileResponse(_FILES / "index.html", headers={"cache-control": "no-cache"})
