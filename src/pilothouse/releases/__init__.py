"""What changed between two releases of a service, and is the new one worse.

A release is a service and a version, found from the signals themselves (`discovering`). `comparing` sets up a trial
of a candidate against a baseline (`trial`, `siding`), lets each signal's room test what it knows (`metrics`,
`traces`, `logs`, `profiles`: each reads, judges and explains), and holds all tests to one false discovery rate
(`deciding`). `statistics` is the arithmetic; `store` keeps marks, verdicts and rollouts; `report` says them to people.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilothouse.releases.comparing import compare
    from pilothouse.releases.comparison import Comparison, SignalReport
    from pilothouse.releases.discovering import releases, services
    from pilothouse.releases.finding import Finding
    from pilothouse.releases.release import Release
    from pilothouse.releases.rules import Rules
    from pilothouse.releases.store import ReleaseStore

__all__ = [
    "Comparison",
    "Finding",
    "Release",
    "ReleaseStore",
    "Rules",
    "SignalReport",
    "compare",
    "releases",
    "services",
]

_HOMES = {
    "compare": "comparing",
    "Comparison": "comparison",
    "SignalReport": "comparison",
    "releases": "discovering",
    "services": "discovering",
    "Finding": "finding",
    "Release": "release",
    "Rules": "rules",
    "ReleaseStore": "store",
}


def __getattr__(name: str) -> Any:
    # The command line prints verdicts without numpy and scipy, which take longer to import than it takes to ask.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
