"""pprof messages as profilers write them, built from plain stacks."""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilothouse.signals.profiles.pprof import PprofProfile

SECOND = 1_000_000_000
Frame = tuple[str, str, int]


@dataclass
class PprofBuilder:
    """One message; stacks are leaf first, a frame is (function, file, line), or a tuple of them when
    inlined.
    """

    types: Sequence[tuple[str, str]] = (("cpu", "nanoseconds"),)
    message: Any = field(default_factory=PprofProfile)
    _strings: dict[str, int] = field(default_factory=dict)
    _locations: dict[Any, int] = field(default_factory=dict)
    _functions: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.text("")
        for kind, unit in self.types:
            self.message.sample_type.add(type=self.text(kind), unit=self.text(unit))
        self.message.time_nanos = time.time_ns() - 20 * SECOND
        self.message.duration_nanos = 10 * SECOND
        self.message.period = 10_000_000
        self.message.period_type.type = self.text("cpu")
        self.message.period_type.unit = self.text("nanoseconds")

    def text(self, text: str) -> int:
        if text not in self._strings:
            self._strings[text] = len(self._strings)
            self.message.string_table.append(text.encode())
        return self._strings[text]

    def function(self, name: str, file: str) -> int:
        key = (name, file)
        if key not in self._functions:
            self._functions[key] = len(self._functions) + 1
            self.message.function.add(id=len(self._functions), name=self.text(name), filename=self.text(file))
        return self._functions[key]

    def location(self, frames: Any) -> int:
        lines = frames if frames and isinstance(frames[0], tuple) else (frames,)
        if lines not in self._locations:
            self._locations[lines] = len(self._locations) + 1
            location = self.message.location.add(id=len(self._locations))
            for name, file, line in lines:
                location.line.add(function_id=self.function(name, file), line=line)
        return self._locations[lines]

    def add(self, stack: Sequence[Any], *values: int, labels: Mapping[str, str | int] | None = None) -> PprofBuilder:
        sample = self.message.sample.add(value=values, location_id=[self.location(frame) for frame in stack])
        for key, said in (labels or {}).items():
            if isinstance(said, str):
                sample.label.add(key=self.text(key), str=self.text(said))
            else:
                sample.label.add(key=self.text(key), num=said)
        return self

    def bytes(self) -> bytes:
        return self.message.SerializeToString()

    def gzipped(self) -> bytes:
        return gzip.compress(self.bytes(), 1)


def python_cpu() -> PprofBuilder:
    """As py-spy sees a small web service."""
    main, serve = ("<module>", "/app/main.py", 3), ("serve", "/app/main.py", 12)
    parse, render = ("parse", "/app/web.py", 40), ("render", "/app/web.py", 88)
    builder = PprofBuilder()
    builder.add([parse, serve, main], 30 * 10_000_000)
    builder.add([render, serve, main], 50 * 10_000_000, labels={"thread_name": "io-1"})
    builder.add([("escape", "/app/web.py", 90), render, serve, main], 20 * 10_000_000)
    return builder


def go_heap() -> PprofBuilder:
    """As Go's runtime writes a heap profile: four types, inlined frames, a mapping with a build id."""
    builder = PprofBuilder(
        (("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes"))
    )
    builder.message.mapping.add(
        id=1, memory_start=0x400000, memory_limit=0x800000, filename=builder.text("/usr/bin/shop"),
        build_id=builder.text("go-build-1"), has_functions=True,
    )  # fmt: skip
    inlined = (("strings.Repeat", "strings/strings.go", 600), ("main.fill", "shop/main.go", 31))
    builder.add([inlined, ("main.main", "shop/main.go", 10)], 10, 4096, 2, 1024)
    builder.add([("main.cache", "shop/cache.go", 7), ("main.main", "shop/main.go", 11)], 3, 3_000_000, 3, 3_000_000)
    for location in builder.message.location:
        location.mapping_id, location.address = 1, 0x401000 + location.id * 16
    return builder


def java_cpu() -> PprofBuilder:
    """As async-profiler writes a pprof: signatures, hidden classes, threads; no files, no mappings."""
    builder = PprofBuilder()
    run = ("java.util.concurrent.ThreadPoolExecutor$Worker.run", "", 0)
    serve = ("shop.Checkout.serve(Ljava/lang/String;)V", "", 0)
    stub = ("shop.Checkout$$Lambda+0x00007f1c2c0a1000.accept", "", 0)
    builder.add(
        [("java.util.HashMap.putVal", "", 0), stub, serve, run], 40_000_000, labels={"thread": "pool-1-thread-3"}
    )
    builder.add(
        [("[unknown_Java]", "", 0), ("itable stub", "", 0), run], 10_000_000, labels={"thread": "pool-1-thread-4"}
    )
    builder.add([("G1ParTask::work(unsigned int)", "", 0), ("thread_native_entry", "", 0)], 20_000_000)
    return builder


def native_cpu() -> PprofBuilder:
    """As perf or a C++ profiler: locations without functions, known by their mapping and address."""
    builder = PprofBuilder((("samples", "count"), ("cpu", "nanoseconds")))
    builder.message.mapping.add(
        id=7, memory_start=0x7F0000000000, memory_limit=0x7F0000100000, file_offset=0x2000,
        filename=builder.text("/lib/x86_64-linux-gnu/libc.so.6"),
    )  # fmt: skip
    builder.message.location.add(id=900, mapping_id=7, address=0x7F0000001A2B)
    builder.message.location.add(id=901, address=0xDEAD)
    builder.message.sample.add(location_id=[900, builder.location(("main", "main.cc", 5))], value=[4, 40_000_000])
    builder.message.sample.add(location_id=[901], value=[1, 10_000_000])
    return builder
