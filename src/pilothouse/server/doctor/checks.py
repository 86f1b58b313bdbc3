"""All checks, in the order in which one would look."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pilothouse.server.doctor import databases, disk, machine, serving
from pilothouse.server.doctor.model import Finding, failed, ok

if TYPE_CHECKING:
    from pilothouse.server.config import Config

_LEAST_PYTHON = (3, 11)


def examine(config: Config) -> Iterator[Finding]:
    """One finding a check. Nothing is changed, and a server that runs is not disturbed."""
    yield _python()
    yield from disk.examine(config)
    yield from databases.examine(config)
    yield from machine.examine()
    status = serving.status(config)
    yield from serving.ports(config, status)
    if status is not None:
        yield from serving.server(config, status)
    yield serving.access(config)


def _python() -> Finding:
    said = f"Python {sys.version.split()[0]}, process {os.getpid()}"
    if sys.version_info < _LEAST_PYTHON:
        return failed("python", said, "use Python 3.11 or newer")
    return ok("python", said)
