"""What the status calls tell of this process, in the words of Prometheus' flags."""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

_NO_LIMIT = (1 << 63) - 1
# What Prometheus has switched off unless asked, and what is always on here.
_FEATURES = (
    "exemplar-storage", "native-histograms", "promql-binop-fill-modifiers", "promql-duration-expr",
    "promql-experimental-functions", "promql-extended-range-selectors",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Status:
    """How this process was started. `started` is Unix seconds, `config_file` is empty without one."""

    started: float = field(default_factory=time.time)
    config_file: str = ""
    data: str = ""
    retention: str = ""
    listen_address: str = ""
    external_url: str = ""
    log_level: str = "info"

    def flags(self, seconds: float, samples: int, at_once: int) -> dict[str, str]:
        """The flags of Prometheus that have a counterpart here, with what holds; the arguments are limits of queries.

        Flags that mean nothing here are left out rather than made up.
        """
        return {
            "config.file": self.config_file,
            "enable-feature": ",".join(_FEATURES),
            "log.level": {"warning": "warn"}.get(self.log_level, self.log_level),
            "query.lookback-delta": "5m",
            "query.max-concurrency": str(at_once),
            "query.max-samples": str(samples),
            "query.timeout": f"{seconds / 60:g}m",
            "storage.tsdb.path": self.data,
            "storage.tsdb.retention.size": "0B",
            "storage.tsdb.retention.time": self.retention,
            "web.enable-admin-api": "false",
            "web.enable-lifecycle": str(bool(self.config_file)).lower(),
            "web.enable-remote-write-receiver": "true",
            "web.external-url": self.external_url,
            "web.listen-address": self.listen_address,
            "web.route-prefix": "/prometheus",
        }

    def runtime(self, loaded: bool, loaded_at: float) -> dict[str, Any]:
        """The process as it is now. `loaded`: whether the configuration was last read without a fault.

        Where Prometheus counts goroutines these are threads; there is no limit of Go's on memory.
        """
        return {
            "startTime": _rfc3339(self.started),
            "CWD": os.getcwd(),
            "hostname": socket.gethostname(),
            "serverTime": _rfc3339(time.time()),
            "reloadConfigSuccess": loaded,
            "lastConfigTime": _rfc3339(loaded_at or self.started),
            "corruptionCount": 0,
            "goroutineCount": threading.active_count(),
            "GOMAXPROCS": _processors(),
            "GOMEMLIMIT": _NO_LIMIT,
            "GOGC": "",
            "GODEBUG": "",
            "storageRetention": self.retention,
        }


def _processors() -> int:
    """How many of the machine's this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rfc3339(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
