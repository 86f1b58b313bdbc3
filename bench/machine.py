"""Where the numbers come from: the machine, its load, and the versions."""

from __future__ import annotations

import datetime
import mmap
import os
import platform
import time
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


def touch_memory(most: int = 4_000_000_000) -> tuple[float, float]:
    """Write to memory that is free, twice: CPU-seconds a gigabyte, the first time and the second.

    A virtual machine gets its memory page by page as it is first written to, which may cost ten times what the system
    takes to clear it. A run that is the first to need so much would pay that, and the next would not.
    """
    pages = {key: int(value.split()[0]) for key, _, value in (line.partition(":") for line in _lines("/proc/meminfo"))}
    size = min(most, pages["MemAvailable"] * 1024 // 2) // mmap.PAGESIZE * mmap.PAGESIZE
    first, second = (_touched(size) for _ in range(2))
    return first, second


def _touched(size: int) -> float:
    began = time.process_time()
    with mmap.mmap(-1, size) as memory:
        memory[:: mmap.PAGESIZE] = bytes(size // mmap.PAGESIZE)
    return (time.process_time() - began) / size * 1e9


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
