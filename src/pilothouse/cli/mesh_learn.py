"""`pilothouse mesh learn`: TrafficTargets from observed calls, with an account of what was seen on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilothouse.mesh.learning import Proposal
    from pilothouse.mesh.model import Configuration


def learned(content: Any, configuration: Configuration, namespace: str) -> Proposal:
    """What the server saw as resources; the account of it goes to stderr."""
    from pilothouse.mesh.learning import Observation, propose

    proposal = propose(Observation.of_json(content), configuration, namespace)
    for line in proposal.seen:
        sys.stderr.write(f"{line}\n")
    for line in proposal.warnings:
        sys.stderr.write(f"warning: {line}\n")
    return proposal
