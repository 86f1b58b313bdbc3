"""Least-privilege TrafficTargets from the calls that traces show: `observing` asks, `proposing` writes resources."""

from pilothouse.mesh.learning.observing import Observation, ObservedCall, Party, observe
from pilothouse.mesh.learning.proposing import Proposal, propose

__all__ = ["Observation", "ObservedCall", "Party", "Proposal", "observe", "propose"]
