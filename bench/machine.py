"""Where the numbers come from: the machine, its load, and the versions."""

from __future__ import annotations

import datetime
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader needs to judge the numbers; `load` is the load average at the start."""

    when: str
    processor: str
    cores: int
    memory_gb: float
    system: str
    load: float
    versions: str


def here() -> Machine:
    """This machine, now."""
    processor = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in ("chdb", "protobuf", "grpcio", "uvicorn"))
    return Machine(
        datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor,
        len(os.sched_getaffinity(0)),
        memory,
        f"{platform.system()} {platform.release()}",
        os.getloadavg()[0],
        f"Python {platform.python_version()}, {packages}",
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
