"""The process's own CPU time and memory as OpenTelemetry metrics.

Names, units and kinds follow the semantic conventions for process metrics:
https://opentelemetry.io/docs/specs/semconv/system/process-metrics/
"""

import os
import resource
import sys
from collections.abc import Iterable
from pathlib import Path

from opentelemetry.metrics import CallbackOptions, Meter, Observation

STATM = Path("/proc/self/statm")


def observe_process(meter: Meter) -> None:
    """Registers `process.cpu.time` (s) and `process.memory.usage` (By)."""
    meter.create_observable_counter("process.cpu.time", [_cpu_time], "s", "CPU time spent by the process")
    meter.create_observable_up_down_counter(
        "process.memory.usage", [_memory_usage], "By", "Physical memory in use by the process"
    )


def _cpu_time(_: CallbackOptions) -> Iterable[Observation]:
    times = os.times()
    yield Observation(times.user, {"cpu.mode": "user"})
    yield Observation(times.system, {"cpu.mode": "system"})


def _memory_usage(_: CallbackOptions) -> Iterable[Observation]:
    yield Observation(resident_bytes())


def resident_bytes() -> int:
    """Bytes of physical memory in use. Without /proc (macOS) the largest so far: the kernel tells no more."""
    if STATM.exists():
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
