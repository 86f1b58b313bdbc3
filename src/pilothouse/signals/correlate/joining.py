"""What the four questions share: time and identity in SQL, service names, links to the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.signals.correlate.anchor import Anchor

NOBODY = "identity and time"
MINE = (
    "identity IN {identities:Array(UInt64)} AND time >= fromUnixTimestamp64Nano({start:Int64}, 'UTC') "
    "AND time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')"
)


def service_names(anchor: Anchor) -> dict[int, str]:
    """`service.name` of each identity."""
    return {one.identity: one.attributes.get("service.name", "") for one in anchor.resources}


def path(base: str, anchor: Anchor, **more: str) -> str:
    """The API call that answers the whole, not only examples."""
    query = {"start": to_rfc3339(anchor.within.start), "end": to_rfc3339(anchor.within.end)}
    selector = anchor.selector or _selector(anchor)
    if selector and "trace_id" not in more:
        query["selector"] = selector
    return f"{base}?{urlencode(more | query)}"


def _selector(anchor: Anchor) -> str:
    """The services of the point, where nobody wrote a selector."""
    names = sorted(set(service_names(anchor).values()) - {""})
    if len(names) == 1:
        return f'service_name="{_quoted(names[0])}"'
    return ""


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
