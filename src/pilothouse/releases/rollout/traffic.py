"""What shifts the traffic, as an interface.

A class needs no import of this module to fit: the two methods are enough (a structural protocol), so that the mesh,
which stands below the releases, can be one. The server puts shifters to their names (`Shifters`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class TrafficShifter(Protocol):
    """Gives versions of one service their parts of its traffic."""

    def shift(self, service: str, weights: Mapping[str, int], key: str) -> None:
        """Give each version its percent of the traffic; they add up to 100.

        The same call may come again after a crash, with the same `key`: it must then do no harm. Returns when the
        weights are accepted by what routes; raises an exception whose text says why when they cannot be.
        """

    def weights(self, service: str) -> Mapping[str, int] | None:
        """The weights in force, or None when that cannot be known."""


class TrafficError(Exception):
    """The traffic could not be shifted; the message says why."""


Shifters = Mapping[str, Callable[[Mapping[str, Any]], TrafficShifter]]
"""By name, what makes a shifter from the `traffic` settings of a plan."""
