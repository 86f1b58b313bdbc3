"""What a request to the Prometheus API says: parameters of GET and POST, times, durations, errors."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from pilothouse.signals.metrics.promql.durations import parse_duration
from pilothouse.signals.metrics.promql.errors import ParseError
from pilothouse.signals.metrics.promql.matcher import Matcher
from pilothouse.signals.metrics.promql.numbers import quote
from pilothouse.signals.metrics.promql.parser import parse_selector
from pilothouse.signals.wire import body_within

if TYPE_CHECKING:
    from starlette.requests import Request

FORM = "application/x-www-form-urlencoded"
_LARGEST_FORM = 10_000_000
_LATEST = 9_223_372_036_854
_FRACTION = re.compile(r"(.*T\d\d:\d\d:\d\d)(\.\d+)?(.*)")

STATUS = {
    "bad_data": 400, "execution": 422, "canceled": 499, "timeout": 503, "unavailable": 500, "not_found": 404,
    "internal": 500, "not_acceptable": 406,
}  # fmt: skip


class ApiError(Exception):
    """An error as Prometheus' API tells it; `kind` is its `errorType`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Parameters:
    """The parameters of one request, of its URL and of a form in its body."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def get(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        return next((value for key, value in self._pairs if key == name), default)

    def all(self, name: str) -> list[str]:
        """All values of a parameter that may be repeated."""
        return [value for key, value in self._pairs if key == name]

    def time(self, name: str, default: int) -> int:
        """A time in milliseconds."""
        text = self.get(name)
        return default if not text else parse_time(text, name)

    def duration(self, name: str) -> int:
        """A duration in milliseconds: seconds or as PromQL writes it."""
        return parse_step(self.get(name), name)

    def limit(self) -> int:
        """`limit`, 0 for none."""
        return self.count("limit")

    def count(self, name: str, default: int = 0) -> int:
        """A whole number that is not negative."""
        text = self.get(name)
        if not text:
            return default
        if not _is_whole(text):
            raise ApiError(
                "bad_data", f'invalid parameter "{name}": strconv.Atoi: parsing {quote(text)}: invalid syntax'
            )
        if text.startswith("-"):
            raise ApiError("bad_data", f'invalid parameter "{name}": limit must be non-negative')
        return int(text)

    def most(self, name: str) -> int:
        """The same where a negative one means no limit."""
        text = self.get(name)
        if text and not _is_whole(text):
            raise ApiError("bad_data", f"{name} must be a number")
        return max(0, int(text or 0))

    def matchers(self, needed: bool = True) -> list[tuple[Matcher, ...]]:
        """The selectors of `match[]`."""
        found = []
        for text in self.all("match[]"):
            try:
                selector = parse_selector(text)
            except ParseError as error:
                raise ApiError("bad_data", f'invalid parameter "match[]": {error}') from None
            if all(matcher.matches("") for matcher in selector):
                message = "match[] must contain at least one non-empty matcher"
                raise ApiError("bad_data", f'invalid parameter "match[]": {message}')
            found.append(selector)
        if needed and not found:
            raise ApiError("bad_data", "no match[] parameter provided")
        return found


async def parameters(request: Request) -> Parameters:
    """What a request asks, whether by GET or as a form by POST."""
    pairs = list(request.query_params.multi_items())
    if request.method == "POST":
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media == FORM:
            body = await body_within(request, _LARGEST_FORM)
            if body is None:
                raise ApiError("bad_data", "error parsing form values: http: POST too large")
            pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True) + pairs
    return Parameters(pairs)


def parse_time(text: str, name: str) -> int:
    """Milliseconds of Unix seconds or RFC 3339."""
    try:
        seconds = float(text)
    except ValueError:
        return _rfc3339(text, name)
    if not abs(seconds) < _LATEST / 1000:
        raise _no_time(text, name)
    return round(seconds * 1000)


def _rfc3339(text: str, name: str) -> int:
    found = _FRACTION.fullmatch(text)
    if not found or not found[3]:
        raise _no_time(text, name)
    try:
        moment = datetime.fromisoformat(found[1] + found[3])
        return int(moment.astimezone(UTC).timestamp()) * 1000 + int(float(found[2] or 0) * 1000)
    except (ValueError, OverflowError):
        raise _no_time(text, name) from None


def _is_whole(text: str) -> bool:
    """Whether it is a whole number of 64 bits at most."""
    return text.removeprefix("-").isdecimal() and len(text) <= 18


def _no_time(text: str, name: str) -> ApiError:
    return ApiError(
        "bad_data",
        f"invalid parameter \"{name}\": invalid time value for '{name}': "
        f"cannot parse {quote(text)} to a valid timestamp",
    )


def parse_step(text: str, name: str) -> int:
    """Milliseconds of seconds or of a duration."""
    try:
        seconds = float(text)
        if not abs(seconds) < 9.2e9:
            raise ApiError(
                "bad_data",
                f'invalid parameter "{name}": cannot parse {quote(text)} to a valid duration. It overflows int64',
            )
        return round(seconds * 1000)
    except ValueError:
        pass
    try:
        return parse_duration(text)
    except ValueError:
        message = f"cannot parse {quote(text)} to a valid duration"
        raise ApiError("bad_data", f'invalid parameter "{name}": {message}') from None


def unescaped_label(name: str) -> str:
    """A label as a URL path carries it: `U__` escapes what is not a plain name (Prometheus' UTF-8 escaping)."""
    if not name.startswith("U__"):
        return name
    parts = re.sub(r"__|_([0-9A-Fa-f]+)_", lambda found: chr(int(found[1], 16)) if found[1] else "_", name[3:])
    return str(parts)
