"""Which finding to tell first: what is worse before the rest, then by how much of the service it touches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pilothouse.releases.finding import Finding

_ORDER = {"worse": 0, "better": 1, "moved": 2}
_MOST = {"worse": 50, "better": 20, "moved": 20}


def ranked(findings: list[Finding]) -> list[Finding]:
    """In the order to be told, numbered from 1; of what did not matter for the verdict only the largest."""
    ordered = sorted(findings, key=lambda one: (_ORDER[one.direction], -severity(one), one.signal, one.subject))
    kept: list[Finding] = []
    for direction, most in _MOST.items():
        kept += [one for one in ordered if one.direction == direction][:most]
    return [replace(one, rank=place) for place, one in enumerate(kept, 1)]


def severity(finding: Finding) -> float:
    """A rough size that can be compared between signals: about the logarithm of how much worse a request got."""
    grown = 3.0 if finding.change is None else abs(float(np.log1p(np.clip(finding.change, -0.95, 50))))
    match finding.signal:
        case "traces":
            return grown if finding.measure.startswith("duration") else 2 * grown
        case "logs":
            per_request = max(finding.baseline or 0.0, finding.candidate or 0.0)
            return grown * min(1.0, 10 * per_request)
        case "profiles":
            # What a process costs without any request is many times as much of each where there are few: no worse a
            # release, whatever its size.
            share = finding.detail.get("beyond_traffic", finding.detail.get("share"))
            return float(np.log1p(abs(share or 0.0)))
        case _:
            return grown / 2
