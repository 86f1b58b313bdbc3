"""Why something changed at a time: the service before and after it, and all that changed around it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pilothouse.releases.party import Party
from pilothouse.releases.stories import changes
from pilothouse.releases.wording import duration
from pilothouse.signals.timerange import NANOSECONDS, TimeRange, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.engine import Engine
    from pilothouse.releases.comparison import Comparison
    from pilothouse.releases.mark import Mark
    from pilothouse.releases.slos.objective import Objective

_LONGER = 2


def why(
    engine: Engine, service: str, at: int, around: int, marks: Sequence[Mark] = (), objectives: Sequence[Objective] = ()
) -> Comparison:
    """The service in the time `around` (nanoseconds) after `at` against twice that before, whatever its versions.

    Raises `NotFoundError` for an unknown service.
    """
    from pilothouse.releases.comparing import compare

    before, after = TimeRange(max(at - _LONGER * around, 0), at), TimeRange(at, at + around)
    baseline, candidate = Party(label="before", within=before), Party(label="after", within=after)
    found = compare(engine, service, baseline, candidate, after, marks=marks, objectives=objectives)
    asked = urlencode({"service": service, "at": to_rfc3339(at), "around": duration(around / NANOSECONDS)})
    around_it = found.changes or tuple(changes(engine, service, marks, TimeRange(before.start, after.end)))
    return replace(found, changes=around_it, address=f"/why?{asked}")
