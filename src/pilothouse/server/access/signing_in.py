"""The page's door: a form for a token, and the way to an OpenID provider and back. A session is a cookie."""

from __future__ import annotations

import html
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pilothouse.server.access.callers import SESSION
from pilothouse.server.access.openid import Attempt, OpenId, OpenIdError, Person
from pilothouse.signals.wire import body_within

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.server.access.tokens import TokenStore

_ATTEMPT = "pilothouse_sign_in"
_ATTEMPT_SECONDS, _SESSION_SECONDS = 600, 12 * 3600
_LONGEST_FORM = 4_000
_CALLBACK = "/sign-in/openid/callback"
_POLICY = "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in - Pilothouse</title>
<style nonce="{nonce}">body{{font:16px system-ui,sans-serif;max-width:24rem;margin:15vh auto;padding:0 1rem;
color:#1b2733;background:#fff}}input,button,a.b{{font:inherit;display:block;box-sizing:border-box;width:100%;
padding:.6rem;margin:.5rem 0;border:1px solid #8695a4;border-radius:6px;text-align:center;text-decoration:none}}
button,a.b{{background:#14538a;color:#fff;border:0}}p.e{{color:#a4161a}}@media(prefers-color-scheme:dark)
{{body{{background:#12171d;color:#e6ebf0}}input{{background:#1c232b;color:inherit}}p.e{{color:#ff8f8f}}}}</style>
<h1>Pilothouse</h1>{problem}{provider}
<form method="post" action="/sign-in"><label for="t">A token with the scope <code>read</code></label>
<input id="t" name="token" type="password" autocomplete="current-password" required {focus}>
<input type="hidden" name="next" value="{next}"><button>Sign in</button></form></html>"""


class SigningIn:
    """The routes. `external` is our own address as browsers know it, empty for the one they used."""

    def __init__(self, tokens: TokenStore, openid: OpenId | None, external: str = "") -> None:
        self._tokens, self._openid, self._external = tokens, openid, external.rstrip("/")

    def routes(self) -> list[Route]:
        """Open to everybody: who is not signed in has to get here."""
        openid = [Route("/sign-in/openid", self._leave), Route(_CALLBACK, self._return)] if self._openid else []
        return [
            Route("/sign-in", self._form, methods=["GET"]),
            Route("/sign-in", self._by_token, methods=["POST"]),
            Route("/sign-out", self._end, methods=["POST"]),
            *openid,
        ]

    async def _form(self, request: Request) -> Response:
        return self._page(_local(request.query_params.get("next", "/")))

    async def _by_token(self, request: Request) -> Response:
        body = await body_within(request, _LONGEST_FORM)
        if body is None:
            return self._page("/", "That is too long for a token.", 413)
        given = {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
        following = _local(given.get("next", "/"))
        caller = await run_in_threadpool(self._tokens.caller, given.get("token", "").strip())
        if caller is None or caller.session:
            return self._page(following, "This is not a token that is known here.", 401)
        return await self._begin(request, Person(caller.name, tuple(caller.scopes), caller.tenant), following)

    async def _leave(self, request: Request) -> Response:
        assert self._openid
        attempt = Attempt.new()
        try:
            address = await run_in_threadpool(self._openid.address, attempt, self._own(request) + _CALLBACK)
        except OpenIdError as error:
            return self._page("/", str(error), 502)
        response = RedirectResponse(address, 303)
        # Lax, since the way back begins at another site.
        self._set(request, response, _ATTEMPT, attempt.write(), _ATTEMPT_SECONDS, "lax")
        return response

    async def _return(self, request: Request) -> Response:
        assert self._openid
        attempt = Attempt.read(request.cookies.get(_ATTEMPT, ""))
        answer = dict(request.query_params)
        try:
            person = await run_in_threadpool(self._openid.person, attempt, answer, self._own(request) + _CALLBACK)
        except OpenIdError as error:
            return self._page("/", str(error), 403)
        response = await self._begin(request, person, "/")
        response.delete_cookie(_ATTEMPT)
        return response

    async def _begin(self, request: Request, person: Person, following: str) -> Response:
        def made() -> str:
            self._tokens.sweep()
            return self._tokens.create(person.name, person.scopes, person.tenant, _SESSION_SECONDS, session=True)[0]

        response = RedirectResponse(following, 303)
        self._set(request, response, SESSION, await run_in_threadpool(made), _SESSION_SECONDS, "strict")
        return response

    async def _end(self, request: Request) -> Response:
        text = request.cookies.get(SESSION, "")
        if await run_in_threadpool(self._tokens.caller, text):
            await run_in_threadpool(self._tokens.revoke, text.split("_")[1])
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(SESSION)
        return response

    def _own(self, request: Request) -> str:
        return self._external or f"{request.url.scheme}://{request.url.netloc}"

    def _set(self, request: Request, response: Response, name: str, value: str, seconds: int, same_site: str) -> None:
        secure = self._own(request).startswith("https:")
        response.set_cookie(name, value, seconds, httponly=True, secure=secure, samesite=same_site)  # type: ignore[arg-type]

    def _page(self, following: str, problem: str = "", status: int = 200) -> Response:
        nonce = secrets.token_urlsafe(16)
        text = _PAGE.format(
            nonce=nonce,
            problem=f'<p class="e" role="alert">{html.escape(problem)}</p>' if problem else "",
            provider='<a class="b" href="/sign-in/openid">Sign in with your account</a>' if self._openid else "",
            focus="" if self._openid else "autofocus",
            next=html.escape(following, quote=True),
        )
        policy = f"default-src 'none'; style-src 'nonce-{nonce}'; {_POLICY}"
        return HTMLResponse(text, status, {"content-security-policy": policy, "cache-control": "no-store"})


def _local(path: str) -> str:
    """A path on this server; anything else becomes the front page, so that nobody is led elsewhere."""
    parts = urlsplit(path)
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return path if safe and path.isprintable() and len(path) <= 2_000 else "/"
