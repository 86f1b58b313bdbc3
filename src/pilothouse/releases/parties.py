"""From the parameters of `/api/compare` to its two parties."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pilothouse.releases.party import Party
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.selector import Matcher, Selector, parse_selector
from pilothouse.signals.timerange import TimeRange, parse_moment
from pilothouse.signals.wire import wanted

if TYPE_CHECKING:
    from starlette.requests import Request

# What runs in Kubernetes says so: the collector's k8sattributes processor and every SDK's detector name the pod.
OLD_HOME = Selector((Matcher("k8s.pod.name", "=", ""), Matcher("k8s.pod.uid", "=", "")))
NEW_HOME = Selector((Matcher("k8s.pod.name", "!=", ""),))


def parties(request: Request) -> tuple[Party, Party, bool]:
    """Baseline, candidate, and whether it is a migration.

    Versions may be left out where the sides are parts (`baseline_where`, `candidate_where`), times
    (`baseline_start`, ...) or, with `kind=migration`, the two homes of the service.
    """
    kind = request.query_params.get("kind", "")
    if kind not in ("", "migration"):
        raise BadRequestError(f"kind: {kind!r} is not migration; every other kind is found from the sides", "kind")
    migration = kind == "migration"
    baseline = _party(request, "baseline", OLD_HOME if migration else Selector(), "the old home" if migration else "")
    candidate = _party(request, "candidate", NEW_HOME if migration else Selector(), "Kubernetes" if migration else "")
    if not migration and not _parted(request):
        wanted(request, "baseline")
        wanted(request, "candidate")
    return baseline, candidate, migration


def _parted(request: Request) -> bool:
    return any(
        f"{side}_{part}" in request.query_params for side in ("baseline", "candidate") for part in ("where", "start")
    )


def _party(request: Request, side: str, default: Selector, label: str) -> Party:
    query = request.query_params
    version, where = query.get(side, ""), query.get(f"{side}_where", "")
    selector = parse_selector(where, f"{side}_where") if where else default
    within = _within(request, side)
    if label:
        name = f"{label} ({version})" if version else label
    else:
        name = " ".join(part for part in (version, f"{{{where}}}" if where else "") if part)
    return Party(version, selector, within, name or ("before" if side == "baseline" else "after"))


def _within(request: Request, side: str) -> TimeRange | None:
    query = request.query_params
    start, end = query.get(f"{side}_start"), query.get(f"{side}_end")
    if not start and not end:
        return None
    if not start:
        raise BadRequestError(f"{side}_start: is needed with {side}_end", f"{side}_start")
    now = time.time_ns()
    first = parse_moment(start, now, f"{side}_start")
    last = parse_moment(end, now, f"{side}_end") if end else now
    if first >= last:
        raise BadRequestError(f"{side}_start: the range is empty, start is not before end", f"{side}_start")
    return TimeRange(first, last)
