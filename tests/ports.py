"""Ports for servers that cannot choose one by themselves."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator

# Below those that systems give to whoever connects to somewhere: one of them may be taken a moment after it was free.
_FIRST, _EACH = 10_000, 5_000


def _candidates() -> Iterator[int]:
    """A range for each of four processes of the tests, from a place that differs from run to run."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw3").removeprefix("gw")) % 4
    begin = os.getpid() * 97
    return (_FIRST + worker * _EACH + (begin + number) % _EACH for number in itertools.count())


_NEXT = _candidates()


def free_port() -> int:
    """A port on loopback that nobody listens on now, for TCP and UDP, and that is not given again soon."""
    for port in _NEXT:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(type=kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port
    raise AssertionError
