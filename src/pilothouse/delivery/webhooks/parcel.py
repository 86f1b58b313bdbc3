"""A delivery as it came, and what it is after it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.delivery.forges import Event


@dataclass(frozen=True, slots=True)
class Parcel:
    """One webhook request: its body's bytes and its headers, names in lower case."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self, *names: str) -> str:
        """The first of these headers that is there; empty when none is."""
        return next((self.headers[name] for name in names if self.headers.get(name)), "")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a delivery says: events in order, or why nobody here wants it."""

    kind: str
    events: tuple[Event, ...] = ()
    ignored: str = ""


class DeliveryError(Exception):
    """A delivery that is not taken; `status` is the HTTP status of the answer, `field` what is wrong."""

    def __init__(self, message: str, status: int = 400, code: str = "bad_delivery", field: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.field = status, code, field
