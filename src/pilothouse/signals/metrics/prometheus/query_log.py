"""The query log: a line of JSON for each query of the API and of rules, as Prometheus' `query_log_file` has them.

https://prometheus.io/docs/guides/query-log/
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.metrics.promql.planning import Grid
    from pilothouse.signals.metrics.promql.statistics import Statistics

log = structlog.get_logger(__name__)

# Whoever asks says what is in the log, so that not everybody may read it.
_MODE = 0o640


@dataclass(frozen=True, slots=True)
class RuleGroupOf:
    """The group of rules that asks."""

    file: str
    name: str


Asker: TypeAlias = "Request | RuleGroupOf"


class QueryLog:
    """Writes to a file once it is told which. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file: FileIO | None = None
        self._failed = False

    def use(self, path: Path | None) -> None:
        """Write to this file from now on (None: nowhere). Opens it anew, so that it may be moved away before.

        Raises `OSError`; then all goes on as it was.
        """
        opened = None
        if path is not None:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _MODE)
            # Without a buffer: what a full disk does not take must not pile up.
            opened = FileIO(descriptor, "a")
        with self._lock:
            before, self._file, self._failed = self._file, opened, False
            if before is not None:
                before.close()

    def add(self, asker: Asker, query: str, grid: Grid, statistics: Statistics | None = None, error: str = "") -> None:
        """Note a query that was evaluated, or failed with `error`. A fault of the file never is one of the query."""
        if self._file is None:
            return
        line = json.dumps(_told(asker, query, grid, statistics, error), ensure_ascii=False, separators=(",", ":"))
        with self._lock:
            if self._file is None:
                return
            try:
                self._file.write(f"{line}\n".encode("utf-8", "replace"))
                self._failed = False
            except OSError as fault:
                if not self._failed:
                    log.warning("the query log cannot be written", reason=str(fault))
                self._failed = True


def _told(asker: Asker, query: str, grid: Grid, statistics: Statistics | None, error: str) -> dict[str, Any]:
    told: dict[str, Any] = {"error": error} if error else {}
    if isinstance(asker, RuleGroupOf):
        told["ruleGroup"] = {"file": asker.file, "name": asker.name}
    else:
        told["httpRequest"] = {
            "clientIP": asker.client.host if asker.client else "",
            "method": asker.method,
            "path": asker.url.path,
        }
    step = grid.step / 1000
    told["params"] = {
        "end": _time(grid.end),
        "query": query,
        "start": _time(grid.start),
        "step": int(step) if step == int(step) else step,
    }
    if statistics is not None:
        told["stats"] = statistics.told
    told["ts"] = _time(round(datetime.now(UTC).timestamp() * 1000))
    return told


def _time(milliseconds: int) -> str | int:
    """RFC 3339 with milliseconds; the number itself where it is no year that can be written so."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return milliseconds
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
