"""Which way is worse, for metrics whose meaning their names tell (OpenTelemetry semantic conventions, Prometheus).

What is not known here can move, and is told, but never makes a release worse by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pilothouse.releases.tested import Badness

_UP = re.compile(
    r"""(duration|latency|response_?time|elapsed|lag|delay|wait
        |error|fail|exception|timeout|timed_?out|retr(y|ies)|reject|drop|dead_?letter|abort|panic|oom|throttl
        |memory|rss|resident|heap|alloc|leak|page_?fault
        |cpu|gc|garbage|stall|pressure|saturation
        |queue|pending|backlog|blocked|overflow)""",
    re.VERBOSE | re.IGNORECASE,
)
_DOWN = re.compile(r"(hit_?(ratio|rate)|success|availab|apdex|uptime_ratio)", re.IGNORECASE)
# Names that hold one of the words above and yet say nothing good or bad.
_NEITHER = re.compile(
    r"""(limit|capacity|_max$|\.max$|size_max|memory\.(virtual|cached|free)|virtual|vms|uptime|cpu\.(count|logical|physical)
        |cpu_count|threads?$|context_switches|start_?time|frequency|(request|response)\.(body\.)?size)""",
    re.VERBOSE | re.IGNORECASE,
)
# What grows with traffic though it is no counter: with unequal traffic it cannot be compared.
_PROCESS = re.compile(r"(^|[._])(process|runtime|cpu|gc|container|thread|threads|context_switches|page_faults)([._]|$)")
_LOADED = re.compile(r"(queue|pending|active|in_?flight|connection|utili[sz]ation|usage_?ratio|backlog)", re.IGNORECASE)
_MEMORY = re.compile(r"(memory|rss|resident|heap|alloc)", re.IGNORECASE)
_WHOLE_MEMORY = re.compile(
    r"(process|container|pod)[._]?(runtime[._])?.*memory|rss|resident|working_set", re.IGNORECASE
)
_STATUS = ("http.response.status_code", "http.status_code", "status", "status_code", "code")
_STATES = (
    "state",
    "system.memory.state",
    "cpu.mode",
    "process.cpu.state",
    "type",
    "process.memory.type",
    "jvm.memory.pool.name",
)


def badness(name: str, labels: Mapping[str, str], sort: str) -> Badness:
    """Which way a metric is worse; a count of failed requests is worse when there are more."""
    if sort == "count":
        return "up" if failed(labels) else "neither"
    if any(labels.get(key) in ("free", "idle", "cached", "vms", "virtual", "iowait", "steal") for key in _STATES):
        return "neither"
    if _DOWN.search(name):
        return "down"
    if _NEITHER.search(name) or not _UP.search(name):
        return "up" if sort == "rate" and failed(labels) else "neither"
    return "up"


def failed(labels: Mapping[str, str]) -> bool:
    """Whether the attributes say that the events were failures of the service."""
    if labels.get("error.type"):
        return not labels["error.type"].startswith("4")
    return any(re.fullmatch(r"5\d\d|5xx", labels.get(key, "")) is not None for key in _STATUS)


def about_memory(name: str, unit: str) -> bool:
    """Whether it is a level of memory, to be compared at equal process age."""
    return _MEMORY.search(name) is not None and unit in ("By", "bytes", "By{allocated}", "KiBy", "MiBy", "")


def whole_memory(name: str, unit: str) -> bool:
    """Whether it is the memory of the whole process or container, and not of a part of it."""
    return about_memory(name, unit) and _WHOLE_MEMORY.search(name) is not None


def of_process(name: str) -> bool:
    """Whether a counter is of what the process itself costs, of which a part is there without any request."""
    return _PROCESS.search(name) is not None


def grows_with_load(name: str) -> bool:
    """Whether a level follows the traffic."""
    return _LOADED.search(name) is not None
