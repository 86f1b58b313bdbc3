"""What the four questions share: time and identity in SQL, service names, links to the whole."""

from __future__ import annotations

from dataclasses import dataclass
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

OF_TRACES = "lower(hex(trace_id)) IN {traces:Array(String)}"
OF_SPANS = "lower(hex(span_id)) IN {spans:Array(String)}"


@dataclass(frozen=True, slots=True)
class Joined:
    """What ties a point to others beside its own ids (hexadecimal).

    `traces` are those of a metric's exemplars, `spans` those that ran while a function was sampled.
    """

    traces: list[str]
    spans: list[str]

    @property
    def parameters(self) -> dict[str, list[str]]:
        """To bind in `OF_TRACES` and `OF_SPANS`."""
        return {"traces": self.traces, "spans": self.spans}

    @property
    def conditions(self) -> list[tuple[str, str]]:
        """By what rows with trace and span ids are joined, and the condition on them."""
        known = (("exemplars", OF_TRACES, self.traces), ("span profiles", OF_SPANS, self.spans))
        return [(by, f"{MINE} AND {condition}") for by, condition, ids in known if ids]


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
