"""What all of `pilothouse collect` have in common: the labels that are given, and the end by a signal."""

from __future__ import annotations

import signal
import threading

from pilothouse.cli.client import fail


def labels_of(given: list[str] | None) -> dict[str, str]:
    """The resource attributes of `--label NAME=VALUE`; ends the program where one has another form."""
    found = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name:
            fail(f"--label: {text!r} is not NAME=VALUE")
        found[name] = value
    return found


def stopping() -> threading.Event:
    """An event that SIGINT and SIGTERM set; the log goes to stderr from here on."""
    from pilothouse.server.logging import configure

    configure("info")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
