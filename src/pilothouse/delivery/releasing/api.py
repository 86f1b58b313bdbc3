"""`/api/delivery/releases`: what was released of what, what waits, and the asking for one; provenance to verify."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import Response
from starlette.routing import Route

from pilothouse.delivery.forges import ForgeError, UnavailableError
from pilothouse.delivery.forges.choosing import parted
from pilothouse.delivery.releasing.release import Release, ReleaseError
from pilothouse.signals.errors import BadRequestError, NotFoundError, OverloadedError
from pilothouse.signals.wire import answer, json_body, number, only, waiting, wanted

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.delivery.releasing.publishing import Releasing
    from pilothouse.delivery.releasing.serving import ReleaseServer

_FIELDS = ("repository", "version", "commit", "by", "dry_run")
Found = TypeVar("Found")


def routes(server: Callable[[], ReleaseServer | None], releasing: Callable[[str], Releasing]) -> list[Route]:
    """The calls; `releasing` finds what makes releases on a forge by its name (empty: the only one), and raises the
    forges' errors and `OSError` where there is none. A repository is `OWNER/NAME`, or `FORGE:OWNER/NAME`.
    """

    async def listed(request: Request) -> Response:
        only(request, "repository", "limit")
        found = server()
        limit = number(request, "limit", 100, 1, 1000)
        repository = parted(request.query_params.get("repository", ""))[1]
        rows = await waiting(found.store.all, repository, limit) if found is not None else []
        return answer({"releases": [one.to_json() for one in rows]})

    async def ask(request: Request) -> Response:
        only(request)
        said = _said(await json_body(request))
        made = await waiting(_asked, lambda: _made(releasing(said["forge"]), said))
        follow = server()
        if follow is not None and not said["dry_run"]:
            await waiting(follow.made, made)
        return answer(_shown(made), 200 if said["dry_run"] else 201)

    async def provenance(request: Request) -> Response:
        only(request, "repository", "tag")
        (forge, repository), tag = parted(wanted(request, "repository")), wanted(request, "tag")
        return answer(json.loads(await waiting(_asked, lambda: _envelope(releasing(forge), repository, tag))))

    return [
        Route("/api/delivery/releases", listed, methods=["GET"]),
        Route("/api/delivery/releases", ask, methods=["POST"]),
        Route("/api/delivery/releases/provenance", provenance, methods=["GET"]),
    ]


def _made(releasing: Releasing, said: dict[str, Any]) -> Release:
    release = releasing.work_out(said["repository"], said["commit"], said["version"])
    if not said["dry_run"]:
        releasing.publish(release, by=said["by"] or "api")
    return release


def _shown(release: Release) -> dict[str, Any]:
    return {
        "forge": release.forge, "repository": release.repository,
        "service": release.service, "version": release.version, "tag": release.tag,
        "commit": release.commit, "before": release.before, "changes": release.changes, "pulls": list(release.pulls),
    }  # fmt: skip


def _envelope(releasing: Releasing, repository: str, tag: str) -> str:
    path = releasing.provenance(releasing.forge.repository(repository).full_name, tag)
    if ".." in tag or not path.is_file():
        raise NotFoundError(f"there is no provenance of {repository} {tag}")
    return path.read_text()


def _said(body: dict[str, Any]) -> dict[str, Any]:
    for name in body:
        if name not in _FIELDS:
            raise BadRequestError(f"{name}: no such field; known are {', '.join(_FIELDS)}", name)
    said: dict[str, Any] = {}
    for name in _FIELDS[:-1]:
        value = body.get(name, "")
        if not isinstance(value, str) or len(value) > 255 or "\0" in value or value.startswith("-"):
            raise BadRequestError(f"{name}: must be text of at most 255 characters", name)
        said[name] = value
    if not said["repository"]:
        raise BadRequestError("repository: this field is needed", "repository")
    said["forge"], said["repository"] = parted(said["repository"])
    said["dry_run"] = body.get("dry_run") is True
    return said


def _asked(question: Callable[[], Found]) -> Found:
    try:
        return question()
    except UnavailableError as error:
        raise OverloadedError(str(error), error.retry_after or 5.0) from None
    except (ReleaseError, ForgeError, OSError) as error:
        raise BadRequestError(str(error)) from None
