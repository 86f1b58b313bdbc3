"""`pilothouse mesh check --measured`: the weights of splits held against measured traffic, as a table."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pilothouse.cli.client import fail

if TYPE_CHECKING:
    from pilothouse.mesh.findings import Finding
    from pilothouse.mesh.measuring import SplitShares
    from pilothouse.mesh.model import Configuration


def measured_findings(configuration: Configuration, prometheus: str, since: str, output: str) -> list[Finding]:
    """Splits that are not honoured; as text all of them are shown first."""
    from pilothouse.mesh.measuring import AskingError, not_honoured, over_http, shares
    from pilothouse.signals.errors import BadRequestError
    from pilothouse.signals.timerange import parse_duration

    try:
        found = shares(configuration, over_http(prometheus), round(parse_duration(since, "since")))
    except BadRequestError as error:
        fail(f"--since: {error}")
    except AskingError as error:
        fail(str(error))
    if output != "json":
        for one in found:
            _show(one)
    return list(not_honoured(found))


def _show(one: SplitShares) -> None:
    sys.stdout.write(f"{one.split.id} ({one.split.root.name}): {one.state}; {one.why}\n")
    for backend in one.backends:
        got = "      -" if backend.share is None else f"{backend.share:7.2%}"
        within = f"{backend.low:7.2%} to {backend.high:7.2%}" if one.requests else ""
        mark = "  <- not as asked" if backend.honoured is False else ""
        sys.stdout.write(f"  {backend.service.name:30} asked {backend.asked:7.2%}  got {got}  {within}{mark}\n")
