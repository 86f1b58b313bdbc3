"""Asking a forge over HTTP: patient where that is safe, sparing by ETags, and silent about secrets."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from pilothouse import __version__
from pilothouse.delivery.forges.errors import (
    AccessError,
    ConflictError,
    ForgeError,
    InvalidError,
    MissingError,
    UnavailableError,
)
from pilothouse.delivery.forges.remote import limits
from pilothouse.masking import masked

if TYPE_CHECKING:
    import httpx

Authorize = Callable[[bool], Mapping[str, str]]
_SAFE = ("GET", "HEAD")
_REMEMBERED = 2_000
_LARGEST = 64_000_000
_MOST_PAGES = 100
_ATTEMPTS = 4
_KINDS: dict[int, type[ForgeError]] = {
    400: InvalidError, 401: AccessError, 403: AccessError, 404: MissingError, 405: ConflictError, 406: ConflictError,
    409: ConflictError, 410: MissingError, 412: ConflictError, 415: InvalidError, 422: InvalidError, 423: ConflictError,
}  # fmt: skip


class Answer:
    """One answer: its status, headers (names in lower case) and what it says, read when it is needed."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def content(self) -> Any:
        """The JSON; None for an empty body. Raises `UnavailableError` for what is no JSON."""
        if not self.body.strip():
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise UnavailableError("the forge answered with something that is not JSON") from None

    @property
    def may_be_a_full_page(self) -> bool:
        """Whether this is the last page and so full that the next thing begins another one.

        An answer of 304 need not say that there is one now. Pages are of 20, 30, 50 or 100.
        """
        found = self.content
        return isinstance(found, list) and len(found) > 0 and len(found) % 10 == 0 and not _next(
            self.headers.get("link", "")
        )  # fmt: skip

    @property
    def words(self) -> str:
        """What a refusal says for people."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(found, dict):
            return ""
        parts = [found.get(name) for name in ("message", "error", "error_description")]
        told = [part if isinstance(part, str) else json.dumps(part) for part in parts if part]
        errors = found.get("errors")
        if isinstance(errors, list):
            told += [str(one.get("message") or one.get("code") if isinstance(one, dict) else one) for one in errors]
        return ": ".join(told)[:500]


class Caller:
    """One forge's HTTP API as one identity. May be used from any thread.

    `authorize` gives the headers that let us in, new ones when told that the last were refused. Waits for limits of up
    to `patience` seconds; longer ones are `UnavailableError` with `retry_after`.
    """

    def __init__(
        self,
        name: str,
        base: str,
        authorize: Authorize,
        accept: str = "application/json",
        timeout: float = 20.0,
        patience: float = 5.0,
        transport: Any = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name, self.base = name, base.rstrip("/")
        self._authorize, self._accept = authorize, accept
        self._timeout, self._patience = timeout, patience
        self._transport, self._sleep, self._clock = transport, sleep, clock
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._remembered: OrderedDict[str, tuple[str, Answer]] = OrderedDict()
        self._budget = limits.Budget()

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            if self._client:
                self._client.close()
                self._client = None

    def get(self, path: str, /, **params: Any) -> Any:
        """What a path answers, as JSON. Raises the errors of `forges.errors`."""
        return self.ask("GET", path, params=params).content

    def pages(self, path: str, /, **params: Any) -> Iterator[Any]:
        """The items of a list, page by page, as the `Link` header leads. Raises `UnavailableError` for endless ones."""
        answer = self.ask("GET", path, params={"per_page": 100, "limit": 100} | params)
        for _ in range(_MOST_PAGES):
            found = answer.content
            if isinstance(found, dict):
                # GitHub wraps some lists: the one list in it is what was asked for.
                found = next((value for value in found.values() if isinstance(value, list)), [])
            yield from found or []
            following = _next(answer.headers.get("link", ""))
            if not following:
                return
            answer = self.ask("GET", self._own(following))
        raise UnavailableError(f"{self.name}: {path} has more than {_MOST_PAGES} pages")

    def send(self, method: str, path: str, body: Any = None, /, **params: Any) -> Any:
        """Change something; what is answered, as JSON. Sent once: only what a limit refused is sent again."""
        return self.ask(method, path, body=body, params=params).content

    def ask(
        self, method: str, path: str, body: Any = None, params: Mapping[str, Any] | None = None,
        accept: str = "",
    ) -> Answer:  # fmt: skip
        """One answer with a status below 400. Raises the errors of `forges.errors`."""
        url = path if path.startswith(("http://", "https://")) else self.base + path
        kept = {name: value for name, value in (params or {}).items() if value not in (None, "")}
        refused = False
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            self._spare(method, path)
            try:
                answer = self._once(method, url, body, kept, accept, refused)
            except OSError as error:
                if last or method not in _SAFE:
                    raise UnavailableError(f"{self._what(method, path)}: {error}") from None
                self._sleep(_pause(attempt))
                continue
            wait = limits.seconds_to_wait(answer.status, answer.headers, answer.words, self._clock())
            if wait is not None:
                self._budget.wait(wait, self._clock())
            elif answer.status == 401 and not refused:
                # A token may have ended a moment ago.
                refused = True
            elif answer.status >= 500 and method in _SAFE and not last:
                self._sleep(_pause(attempt))
            elif answer.status >= 400:
                raise self._error(method, path, answer)
            else:
                return answer
            if last:
                raise self._error(method, path, answer)
        raise AssertionError("unreachable")

    def _once(
        self, method: str, url: str, body: Any, params: Mapping[str, Any], accept: str, refused: bool
    ) -> Answer:  # fmt: skip
        import httpx

        headers = {"accept": accept or self._accept, "user-agent": f"pilothouse/{__version__}"}
        secret = self._authorize(refused)
        headers |= secret
        key = f"{url} {sorted(params.items())} {accept}"
        known = self._known(key) if method == "GET" else None
        if known and known[1].may_be_a_full_page:
            known = None
        if known:
            headers["if-none-match"] = known[0]
        content = None if body is None else json.dumps(body)
        if content is not None:
            headers["content-type"] = "application/json"
        try:
            with self._opened().stream(
                method, url, params=params or None, content=content, headers=headers
            ) as response:
                answer = Answer(response.status_code, dict(response.headers), self._read(response))
        except httpx.HTTPError as error:
            raise ConnectionError(masked(str(error) or type(error).__name__, *_secrets(secret))) from None
        self._budget.heard(answer.headers)
        if answer.status == 304 and known:
            # What is the same may have got another page after it.
            return Answer(200, known[1].headers | answer.headers, known[1].body)
        if 300 <= answer.status < 400:
            return self._led(method, url, answer)
        if method == "GET" and answer.status == 200 and (tag := answer.headers.get("etag")):
            self._remember(key, tag, answer)
        return answer

    def _led(self, method: str, url: str, answer: Answer) -> Answer:
        """Repositories that were renamed are found at their new place, on the same host only: the token goes there."""
        to = answer.headers.get("location", "")
        if method not in _SAFE or not to or url == to:
            raise MissingError(f"{self.name}: it was moved; use its new name")
        return self.ask(method, self._own(to))

    def _own(self, url: str) -> str:
        wanted, found = urlsplit(self.base), urlsplit(url)
        if not found.netloc:
            return url
        if (wanted.scheme, wanted.netloc) != (found.scheme, found.netloc):
            raise UnavailableError(f"{self.name}: leads to another host, {found.netloc[:100]}; nothing is asked there")
        return url

    def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > _LARGEST:
                raise UnavailableError(f"{self.name}: an answer is larger than {_LARGEST:,} bytes")
        return bytes(body)

    def _spare(self, method: str, path: str) -> None:
        """Waits for a limit when that does not take long."""
        wait = self._budget.seconds(self._clock())
        if wait > self._patience:
            raise UnavailableError(f"{self._what(method, path)}: asks to wait {wait:.0f} s: its limit is reached", wait)
        if wait > 0:
            self._sleep(wait)

    def _error(self, method: str, path: str, answer: Answer) -> ForgeError:
        words = masked(answer.words, *_secrets(self._authorize(False)))
        message = f"{self._what(method, path)}: {answer.status}{f': {words}' if words else ''}"
        kind = _KINDS.get(answer.status)
        if answer.status == 401:
            message += "; is the token right, and not over?"
        if kind is None:
            return UnavailableError(message, self._budget.seconds(self._clock()))
        return kind(message)

    def _what(self, method: str, path: str) -> str:
        return f"{self.name}: {method} {path.partition('?')[0][:200]}"

    def _opened(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                self._client = httpx.Client(timeout=self._timeout, transport=self._transport, follow_redirects=False)
            return self._client

    def _known(self, key: str) -> tuple[str, Answer] | None:
        with self._lock:
            found = self._remembered.get(key)
            if found:
                self._remembered.move_to_end(key)
            return found

    def _remember(self, key: str, tag: str, answer: Answer) -> None:
        with self._lock:
            self._remembered[key] = (tag, answer)
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)


def _secrets(headers: Mapping[str, str]) -> list[str]:
    """What must not be told of the headers that let us in: `Bearer SECRET`, `token SECRET`, `SECRET`."""
    return [value.rpartition(" ")[2] for value in headers.values()]


def segment(text: str) -> str:
    """A text as one segment of a path: no user's text becomes another path."""
    return quote(text, safe="")


def path_of(text: str) -> str:
    """A file's path in a URL: its slashes stay, `.` and `..` do not. Raises `InvalidError`."""
    parts = [part for part in text.split("/") if part]
    if any(part in (".", "..") for part in parts):
        raise InvalidError(f"path: {text[:100]!r} has . or .. in it")
    return "/".join(map(segment, parts))


def _next(link: str) -> str:
    """The address of `rel="next"` (RFC 8288)."""
    for part in link.split(","):
        address, _, rest = part.partition(";")
        if 'rel="next"' in rest.replace(" ", "") or "rel=next" in rest.replace(" ", ""):
            return address.strip().strip("<>")
    return ""


def _pause(attempt: int) -> float:
    return float(0.2 * 2**attempt * (0.5 + random.random()))  # noqa: S311 - not a secret
