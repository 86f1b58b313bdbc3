"""Loki's parameters: times, steps, limits (Loki HTTP API, "Timestamps", "Query logs within a range of time")."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.logql.quantities import duration_nanoseconds
from pilothouse.signals.timerange import NANOSECONDS, TimeRange, parse_instant
from pilothouse.signals.wire import body_within

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_LINES = 5000
_LONGEST_FORM = 200_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a request, from its address and (of a POST) its form."""

    pairs: tuple[tuple[str, str], ...]

    def get(self, name: str, default: str = "") -> str:
        """The last value given, or the default."""
        return next((value for key, value in reversed(self.pairs) if key == name), default)

    def all(self, *names: str) -> list[str]:
        """All values given under any of the names."""
        return [value for key, value in self.pairs if key in names]

    def needed(self, name: str) -> str:
        """A value that must be there."""
        value = self.get(name)
        if not value:
            raise BadRequestError(f"{name}: this parameter is needed", name)
        return value

    def within(self, default: str = "1h") -> TimeRange:
        """`start`, `end` and `since`; the last hour when nothing is said."""
        now = time.time_ns()
        end = moment(self.get("end"), now, "end") if self.get("end") else now
        since = duration(self.get("since", default), "since")
        start = moment(self.get("start"), now, "start") if self.get("start") else end - since
        if start > end:
            raise BadRequestError("end timestamp must not be before or equal to start time", "end")
        return TimeRange(max(start, 0), end)

    def step(self, within: TimeRange) -> int:
        """Nanoseconds between two points; 250 points when nothing is said."""
        if not self.get("step"):
            return max(int(within.seconds / 250), 1) * NANOSECONDS
        step = duration(self.get("step"), "step")
        if step <= 0:
            raise BadRequestError(
                "zero or negative query resolution step widths are not accepted. Try a positive integer", "step"
            )
        return step

    def limit(self, default: int = 100, most: int = MOST_LINES) -> int:
        """How many; more than the most are refused."""
        text = self.get("limit") or str(default)
        if not text.isdigit() or int(text) == 0:
            raise BadRequestError(f"limit: {text!r} is not a positive whole number", "limit")
        if int(text) > most:
            raise BadRequestError(
                f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({text} > {most})", "limit"
            )
        return int(text)

    def forward(self) -> bool:
        """The direction; backward when nothing is said."""
        text = self.get("direction", "backward").lower()
        if text not in ("forward", "backward"):
            raise BadRequestError(f"invalid direction {text!r}", "direction")
        return text == "forward"


async def parameters(request: Request) -> Parameters:
    """Those of the address and the form."""
    pairs = list(request.query_params.multi_items())
    if request.method == "POST" and "form" in request.headers.get("content-type", ""):
        body = await body_within(request, _LONGEST_FORM)
        if body is None:
            raise BadRequestError(f"the form is longer than {_LONGEST_FORM} bytes")
        pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return Parameters(tuple(pairs))


def moment(text: str, now: int, field: str) -> int:
    """Nanoseconds of RFC 3339, of seconds (up to ten digits, or with a fraction) or of nanoseconds."""
    if text.isdigit() and len(text) > 10:
        value = int(text)
        if value >= 2**63:
            raise BadRequestError(f"{field}: {text} is not a time", field)
        return value
    return parse_instant(text, now, field)


def duration(text: str, field: str) -> int:
    """Nanoseconds of `15s` or of seconds."""
    found = duration_nanoseconds(text)
    if found is None:
        try:
            found = int(float(text) * NANOSECONDS)
        except (ValueError, OverflowError):
            raise BadRequestError(f'cannot parse "{text}" to a valid duration', field) from None
    return found


def header_flags(headers: Mapping[str, str]) -> frozenset[str]:
    """How the client wants labels to be shown (`categorize-labels`)."""
    return frozenset(flag.strip() for flag in headers.get("x-loki-response-encoding-flags", "").split(","))
