"""`/api/forge/…`: the built-in forge for the page, the command line and programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pilothouse.delivery.forges.errors import AccessError, ConflictError, ForgeError, InvalidError, MissingError
from pilothouse.delivery.forges.local import asked
from pilothouse.delivery.forges.local.entering import UnknownTokenError, bearer
from pilothouse.delivery.forges.local.forge import LocalForge
from pilothouse.delivery.forges.local.house import House
from pilothouse.delivery.forges.local.showing import repository_json, user_json
from pilothouse.delivery.forges.model import LineComment
from pilothouse.delivery.forges.showing import pull_json, said_json, whole_pull
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.wire import answer, json_body, number, only, waiting

if TYPE_CHECKING:
    from starlette.requests import Request

    Handler = Callable[[Request, LocalForge], Awaitable[Response]]

_ROOT = "/api/forge/repositories/{owner}/{name}"


def routes(house: House) -> list[Route]:
    """The endpoints. Reading what is public needs no token, all else does."""
    handlers: dict[str, tuple[Handler, bool]] = {
        "/api/forge/repositories": (_repositories, True),
        _ROOT: (_repository, True),
        f"{_ROOT}/pulls": (_pulls, True),
        f"{_ROOT}/pulls/{{number:int}}": (_pull, True),
        f"{_ROOT}/pulls/{{number:int}}/diff": (_diff, False),
        f"{_ROOT}/pulls/{{number:int}}/comments": (_comments, True),
        f"{_ROOT}/pulls/{{number:int}}/reviews": (_reviews, True),
        f"{_ROOT}/statuses/{{sha}}": (_statuses, True),
        f"{_ROOT}/tree": (_tree, False),
        f"{_ROOT}/file": (_file, False),
        "/api/forge/users": (_users, True),
        "/api/forge/tokens": (_tokens, True),
        "/api/forge/members": (_members, True),
    }
    return [
        Route(path, _entered(house, handler), methods=["GET", "POST"] if posts else ["GET"])
        for path, (handler, posts) in handlers.items()
    ]


def _entered(house: House, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A handler that is told who asks, and whose errors are answers."""

    async def entered(request: Request) -> Response:
        try:
            if any("\0" in str(value) for value in (*request.query_params.values(), *request.path_params.values())):
                raise InvalidError("the address has a NUL in it")
            who = await waiting(bearer, house, request.headers.get("authorization", ""))
            forge = LocalForge(house, who)
            # Whoever keeps the record of acts finds there who it was.
            request.scope["caller"] = forge.me.login
            return await handler(request, forge)
        except ForgeError as error:
            return failure(error)

    return entered


def failure(error: ForgeError) -> Response:
    """An error of a forge as an answer."""
    kinds: tuple[tuple[type[ForgeError], int, str], ...] = (
        (UnknownTokenError, 401, "unknown_token"),
        (MissingError, 404, "not_found"),
        (AccessError, 403, "forbidden"),
        (InvalidError, 400, "bad_request"),
        (ConflictError, 409, "conflict"),
    )
    status, code = next(((status, code) for kind, status, code in kinds if isinstance(error, kind)), (502, "git"))
    field, _, _ = str(error).partition(": ")
    named = {"field": field} if status == 400 and field.isidentifier() else {}
    return answer({"error": {"code": code, "message": str(error)} | named}, status)


def _name(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['name']}"


async def _repositories(request: Request, forge: LocalForge) -> Response:
    if request.method == "POST":
        body = await json_body(request)
        if source := asked.text(body, "fork_of"):
            made = await waiting(forge.fork, source, asked.text(body, "name"))
        else:
            made = await waiting(
                forge.create_repository, asked.text(body, "name", needed=True), asked.text(body, "description"),
                asked.truth(body, "private"), asked.text(body, "default_branch") or "main",
            )  # fmt: skip
        return answer({"repository": await waiting(repository_json, forge, made)}, 201)
    only(request)
    found = await waiting(forge.repositories)
    return answer({"repositories": await waiting(lambda: [repository_json(forge, one) for one in found])})


async def _repository(request: Request, forge: LocalForge) -> Response:
    name = _name(request)
    if request.method == "POST":
        body = await json_body(request)
        if asked.truth(body, "delete"):
            await waiting(forge.delete_repository, name)
            return answer({"deleted": name})
        await waiting(asked.settings, forge, name, body)
    else:
        only(request)

    def shown() -> dict[str, Any]:
        found = repository_json(forge, forge.repository(name))
        return found | {
            "branches": dict(forge.branches(name)),
            "tags": dict(forge.tags(name)),
            "labels": sorted(forge.labels(name)),
            "milestones": sorted(forge.milestones(name)),
            "collaborators": dict(forge.collaborators(name)),
            "protected": forge.protections(name),
            "releases": [asdict(one) for one in forge.published(name)],
        }

    return answer({"repository": await waiting(shown)})


async def _pulls(request: Request, forge: LocalForge) -> Response:
    name = _name(request)
    if request.method == "POST":
        body = await json_body(request)
        made = await waiting(
            forge.create_pull_request, name, asked.text(body, "head", needed=True), asked.text(body, "base"),
            asked.text(body, "title", needed=True), asked.text(body, "body"), asked.truth(body, "draft"),
        )  # fmt: skip
        return answer({"pull": pull_json(made)}, 201)
    only(request, "state", "limit")
    state = asked.state(request.query_params.get("state", "open"))
    limit = number(request, "limit", 100, 1, 10_000)
    found = await waiting(forge.pull_requests, name, state, limit)
    return answer({"pulls": [pull_json(one) for one in found]})


async def _pull(request: Request, forge: LocalForge) -> Response:
    name, which = _name(request), request.path_params["number"]
    if request.method == "POST":
        body = await json_body(request)
        said = await waiting(asked.change, forge, name, which, body)
        return answer({"pull": pull_json(await waiting(forge.pull_request, name, which))} | said)
    only(request)
    return answer({"pull": await waiting(whole_pull, forge, name, which)})


async def _diff(request: Request, forge: LocalForge) -> Response:
    only(request)
    text = await waiting(forge.diff, _name(request), request.path_params["number"])
    return PlainTextResponse(text)


async def _comments(request: Request, forge: LocalForge) -> Response:
    name, which = _name(request), request.path_params["number"]
    if request.method == "POST":
        body = await json_body(request)
        words = asked.text(body, "body", needed=True)
        if path := asked.text(body, "path"):
            said = await waiting(
                forge.comment_on_line, name, which, LineComment(path, asked.whole(body, "line"), words)
            )
        else:
            said = await waiting(forge.add_comment, name, which, words, asked.text(body, "key"))
        return answer({"comment": said_json(said)}, 201)
    only(request)
    return answer({"comments": [said_json(one) for one in await waiting(forge.comments, name, which)]})


async def _reviews(request: Request, forge: LocalForge) -> Response:
    name, which = _name(request), request.path_params["number"]
    if request.method == "POST":
        body = await json_body(request)
        state = asked.review_state(asked.text(body, "state", needed=True))
        said = await waiting(forge.add_review, name, which, state, asked.text(body, "body"), asked.text(body, "commit"))
        return answer({"review": said_json(said)}, 201)
    only(request)
    return answer({"reviews": [said_json(one) for one in await waiting(forge.reviews, name, which)]})


async def _statuses(request: Request, forge: LocalForge) -> Response:
    name, sha = _name(request), request.path_params["sha"]
    if request.method == "POST":
        body = await json_body(request)
        await waiting(forge.set_status, name, sha, asked.status(body))
    else:
        only(request)
    found = await waiting(forge.statuses, name, sha)
    return answer({"statuses": [asdict(one) for one in found.values()]})


async def _tree(request: Request, forge: LocalForge) -> Response:
    only(request, "path", "ref")
    query = request.query_params
    found = await waiting(forge.read_folder, _name(request), query.get("path", ""), query.get("ref", ""))
    return answer({"entries": [asdict(one) for one in found]})


async def _file(request: Request, forge: LocalForge) -> Response:
    only(request, "path", "ref")
    query = request.query_params
    content = await waiting(forge.read_file, _name(request), query.get("path", ""), query.get("ref", ""))
    # As an attachment and as bytes: what somebody pushed is never a page of ours.
    return Response(content, media_type="application/octet-stream", headers={"content-disposition": "attachment"})


async def _users(request: Request, forge: LocalForge) -> Response:
    if request.method == "POST":
        body = await json_body(request)
        if "remove" in body:
            await waiting(forge.remove_user, asked.text(body, "remove", needed=True))
            return answer({"removed": body["remove"]})
        made = await waiting(
            forge.add_user, asked.text(body, "login", needed=True), asked.text(body, "name"),
            asked.text(body, "email"), asked.truth(body, "bot"), asked.truth(body, "admin"),
        )  # fmt: skip
        return answer({"user": user_json(made)}, 201)
    only(request)
    return answer({"users": [user_json(one) for one in await waiting(forge.users)]})


async def _tokens(request: Request, forge: LocalForge) -> Response:
    if request.method == "POST":
        body = await json_body(request)
        login = asked.text(body, "login") or forge.me.login
        if "revoke" in body:
            await waiting(forge.revoke_token, login, asked.whole(body, "revoke"))
            return answer({"revoked": body["revoke"]})
        seconds = asked.duration(body, "expires_in")
        token = await waiting(
            forge.add_token, login, asked.text(body, "name"), not asked.truth(body, "read_only"), seconds
        )
        return answer({"login": login, "token": token}, 201)
    only(request, "login")
    login = request.query_params.get("login", "") or forge.me.login
    if not login:
        raise BadRequestError("login: whose tokens?", "login")
    return answer({"login": login, "tokens": [asdict(one) for one in await waiting(forge.tokens, login)]})


async def _members(request: Request, forge: LocalForge) -> Response:
    if request.method == "POST":
        body = await json_body(request)
        organization, login, permission = (
            asked.text(body, name, needed=True) for name in ("organization", "login", "permission")
        )
        await waiting(forge.set_member, organization, login, permission)
    else:
        only(request, "organization")
        organization = request.query_params.get("organization", "")
    return answer({"organization": organization, "members": await waiting(forge.members, organization)})
