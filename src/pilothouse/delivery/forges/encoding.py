"""Events as JSON and back, for the inbox, for replay and for people who read records."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pilothouse.delivery.forges.events import Event

if TYPE_CHECKING:
    from pydantic import TypeAdapter


def event_to_json(event: Event) -> str:
    """An event as one line of JSON; what has its default is left out."""
    return _adapter().dump_json(event, exclude_defaults=True).decode()


def event_from_json(text: str | bytes) -> Event:
    """An event from what `event_to_json` wrote; what it does not know is left out.

    Raises `ValueError` that names the field.
    """
    return _adapter().validate_json(text)


@cache
def _adapter() -> TypeAdapter[Event]:
    # Imported with the first event, not with the room.
    from pydantic import TypeAdapter

    return TypeAdapter(Event)
