"""Which series the engine has just been told of by live samples, so that it need not look at their labels again.

To find that there is nothing new in a segment, the engine reads all of its labels twice, which costs more than storing
the samples. The door knows it for the price of a hash a series.
"""

from __future__ import annotations

import threading
import time

from google.protobuf.message import DecodeError

from pilothouse.signals.metrics.protobuf import message_classes

# Of a request nothing but the labels, each as it is encoded; the rest is thrown away.
_SHAPE = """
message Series { repeated bytes labels = 1; }
message Request { repeated Series timeseries = 1; }
"""
_CLASSES = message_classes("pilothouse.remote_write_labels", _SHAPE)
_Request, _encoded = _CLASSES["Request"], _CLASSES["Series"].SerializeToString
_TOLD_FOR = 60.0
_LIVE = 60_000
_MOST = 2_000_000
UNTOLD: frozenset[int] = frozenset((0,))
"""What stands for series that nothing is remembered of."""


class KnownSeries:
    """Label sets by their hashes, forgotten together a minute after the first: then all are told again, as alive.

    May be used from any thread.
    """

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._since = 0.0
        self._turn = threading.Lock()

    def new(self, payload: bytes, first: int, last: int) -> frozenset[int]:
        """The hashes of a request's label sets, if the engine must be told of any of them; empty when of none.

        `first` and `last` are the times of its samples (milliseconds). Of samples that are not of the last minute it
        must always be told: they may widen the time in which a series is looked for.
        """
        now = time.time() * 1000
        if first < now - _LIVE or last > now + _LIVE:
            return UNTOLD
        try:
            request = _Request.FromString(payload)
        except DecodeError:
            return UNTOLD
        request.DiscardUnknownFields()
        hashes = frozenset(map(hash, map(_encoded, request.timeseries)))
        with self._turn:
            if time.monotonic() - self._since > _TOLD_FOR or len(self._known) > _MOST:
                self._known, self._since = set(), time.monotonic()
            return frozenset() if hashes <= self._known else hashes

    def told(self, hashes: frozenset[int]) -> None:
        """They were journaled: what comes later is stored later."""
        if hashes is not UNTOLD:
            with self._turn:
                self._known |= hashes

    def forget(self) -> None:
        """Tell everything again: what was told may not have been written."""
        with self._turn:
            self._known = set()
