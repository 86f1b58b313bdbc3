"""`GET /api/dashboards`: the dashboards that a user keeps as JSON files in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from pilothouse.signals.wire import answer, only, waiting

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MOST_FILES = 500
MOST_BYTES = 2_000_000


def routes(folder: Path) -> list[Route]:
    """The endpoint; `folder` need not be there."""

    async def dashboards(request: Request) -> Response:
        only(request)
        return answer({"folder": str(folder), "dashboards": await waiting(read_dashboards, folder)})

    return [Route("/api/dashboards", dashboards)]


def read_dashboards(folder: Path) -> list[dict[str, Any]]:
    """`{"name": ..., "content": ...}` for each file, by name; a file that cannot be read has `error` instead.

    What the JSON means is the page's to say, which takes Grafana's dashboards too.
    """
    files = sorted(file for file in folder.glob("*.json") if file.is_file()) if folder.is_dir() else []
    return [_read(file) for file in files[:MOST_FILES]]


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MOST_BYTES:
            return {"name": file.stem, "error": f"The file is larger than {MOST_BYTES // 1_000_000} MB."}
        return {"name": file.stem, "content": json.loads(file.read_bytes())}
    except OSError as error:
        return {"name": file.stem, "error": f"The file cannot be read: {error.strerror}."}
    except (ValueError, RecursionError) as error:
        return {"name": file.stem, "error": f"The file is not JSON: {error}."}
