"""`/api/backups`: make one, list them. Needs the scope admin; where they lie is the configuration's to say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from pilothouse.server.backups.manifest import BackupError, Manifest
from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.wire import answer, json_body, only

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.server.backups.making import Backups


def routes(backups: Backups | None) -> list[Route]:
    """The endpoints; a tenant has none, since a backup is of all of them together."""

    async def listed(request: Request) -> Response:
        only(request)
        found = await asyncio.to_thread(backups.all) if backups else []
        return answer({"backups": [_row(*one) for one in found]})

    async def made(request: Request) -> Response:
        body = await json_body(request)
        keep = body.get("keep", 0)
        if unknown := sorted(body.keys() - {"keep"}):
            raise BadRequestError(f"{unknown[0]}: no such field; known is keep", unknown[0])
        if not isinstance(keep, int) or isinstance(keep, bool) or not 0 <= keep <= 1_000:
            raise BadRequestError("keep: a whole number from 0 to 1000 is wanted", "keep")
        if backups is None:
            raise BadRequestError("a backup is of the whole server: ask for it without a tenant")
        try:
            return answer(_row(*await asyncio.to_thread(backups.make, keep)), 201)
        except BackupError as error:
            raise OverloadedError(str(error), retry_after=5) from None

    return [Route("/api/backups", listed, methods=["GET"]), Route("/api/backups", made, methods=["POST"])]


def _row(path: Path, manifest: Manifest) -> dict[str, Any]:
    known = manifest.to_json()
    return {"name": path.name, "path": str(path)} | {name: known[name] for name in (
        "version", "made", "rows", "bytes", "journal_bytes", "seconds_held", "notes")}  # fmt: skip
