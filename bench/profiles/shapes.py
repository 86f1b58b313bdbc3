"""Profiles such as a busy service writes: ten seconds of a sampling profiler, as gzipped pprof.

A service has some thousands of distinct stacks, made by walks down a tree of calls; how often each is hit falls off as
a power law. Each profile draws its samples from that, so that two profiles of a process share their hot stacks and
differ in the rare ones, as real ones do. For comparison: a recording
of Go's own compiler, 3 s, has 434 stacks of 14 frames in 55 kB; this makes some 230 of 24 frames in 54 kB.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.profiles.pprof import PprofProfile

SECOND = 1_000_000_000
PERIOD = 10_000_000
_PACKAGES = ("net/http", "runtime", "encoding/json", "database/sql", "crypto/tls", "github.com/acme/shop/orders",
             "github.com/acme/shop/catalog", "github.com/acme/shop/pricing",
             "google.golang.org/grpc/internal/transport",
             "compress/flate", "sync", "syscall")  # fmt: skip
_WORDS = ("read", "write", "Handle", "serve", "decode", "encode", "flush", "lookup", "Price", "apply", "merge", "Scan",
          "alloc", "grow", "copy", "parse", "lock", "wait", "send", "recv")  # fmt: skip


@dataclass
class Service:
    """The stacks of one service: `stacks` are leaf first, each a list of (function, line) places."""

    stacks: list[list[tuple[int, int]]]
    weights: NDArray[np.float64]
    names: list[tuple[str, str]] = field(default_factory=list)


def service(seed: int, stacks: int = 4000, functions: int = 1500) -> Service:
    """A service with so many distinct stacks of 8 to 50 frames."""
    random = np.random.default_rng(seed)
    names = []
    for number in range(functions):
        package = _PACKAGES[random.integers(len(_PACKAGES))]
        name = f"{package}.(*{_WORDS[random.integers(20)].title()}er).{_WORDS[random.integers(20)]}{number}"
        names.append((name, f"/usr/src/{package}/{_WORDS[random.integers(20)]}{number % 40}.go"))
    # Each function calls a few others, at a few lines.
    callees = random.integers(0, functions, (functions, 5))
    lines = random.integers(10, 2000, (functions, 5))
    found: dict[tuple[tuple[int, int], ...], None] = {}
    while len(found) < stacks:
        depth = int(np.clip(random.normal(24, 8), 8, 50))
        place, walk = int(random.integers(3)), []
        for _ in range(depth):
            # The first callees are the usual way, so that walks share long beginnings.
            way = min(int(random.geometric(0.7)) - 1, 4)
            walk.append((place, int(lines[place, way])))
            place = int(callees[place, way])
        found.setdefault(tuple(reversed(walk)))
    ranks = np.arange(1, stacks + 1, dtype=float)
    weights = random.permutation(1 / ranks**1.1)
    return Service([list(stack) for stack in found], weights / weights.sum(), names)


def profile(of: Service, random: np.random.Generator, begin: int, samples: int) -> bytes:
    """A gzipped pprof of ten seconds from `begin` (ns), as Go writes it: `samples` and `cpu`, only what is used."""
    counts = random.multinomial(samples, of.weights)
    builder = _Builder()
    message = builder.message
    for kind, unit in (("samples", "count"), ("cpu", "nanoseconds")):
        message.sample_type.add(type=builder.text(kind), unit=builder.text(unit))
    message.time_nanos, message.duration_nanos, message.period = begin, 10 * SECOND, PERIOD
    message.period_type.type, message.period_type.unit = builder.text("cpu"), builder.text("nanoseconds")
    message.mapping.add(id=1, memory_start=0x400000, memory_limit=0xA00000, filename=builder.text("/usr/bin/shop"),
                        has_functions=True)  # fmt: skip
    for place in np.flatnonzero(counts).tolist():
        count = int(counts[place])
        ids = [builder.location(frame, of.names) for frame in of.stacks[place]]
        message.sample.add(location_id=ids, value=[count, count * PERIOD])
    return gzip.compress(message.SerializeToString(), 6)


class _Builder:
    def __init__(self) -> None:
        self.message: Any = PprofProfile()
        self._texts: dict[str, int] = {}
        self._locations: dict[tuple[int, int], int] = {}
        self._functions: dict[int, int] = {}
        self.text("")

    def text(self, text: str) -> int:
        if text not in self._texts:
            self._texts[text] = len(self._texts)
            self.message.string_table.append(text.encode())
        return self._texts[text]

    def location(self, frame: tuple[int, int], names: list[tuple[str, str]]) -> int:
        if frame not in self._locations:
            self._locations[frame] = len(self._locations) + 1
            address = 0x401000 + (frame[0] << 12 | frame[1])
            location = self.message.location.add(id=len(self._locations), mapping_id=1, address=address)
            location.line.add(function_id=self._function(frame[0], names), line=frame[1])
        return self._locations[frame]

    def _function(self, place: int, names: list[tuple[str, str]]) -> int:
        if place not in self._functions:
            self._functions[place] = len(self._functions) + 1
            name, file = names[place]
            self.message.function.add(id=self._functions[place], name=self.text(name), system_name=self.text(name),
                                      filename=self.text(file))  # fmt: skip
        return self._functions[place]
