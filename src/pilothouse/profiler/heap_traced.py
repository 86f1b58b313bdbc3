"""What holds memory, from `tracemalloc`: each allocation is noted.

That costs a program that allocates much several times what it does otherwise (docs/reference/profiler.md has figures).
It is what there is where the sampler was not compiled, and only when asked for. Taking what it knows stops the process
for some milliseconds per 100,000 live blocks; it is taken the more rarely the longer that takes.
"""

from __future__ import annotations

import ast
import time
import tracemalloc
from bisect import bisect_right

from pilothouse.profiler.pprof_writing import Frame

_OWN = __file__.rpartition("/")[0]


class TracedHeap:
    """Watches allocations of the whole process from `start` to `stop`, to a depth of `frames`."""

    types = (("inuse_objects", "count"), ("inuse_space", "bytes"))
    interval = 1

    def __init__(self, frames: int) -> None:
        self.frames, self._began_here = frames, False
        self._functions: dict[str, _Functions] = {}
        self.took = 0.0

    def start(self) -> None:
        """Begin; blocks allocated before are not known."""
        if not tracemalloc.is_tracing():
            tracemalloc.start(self.frames)
            self._began_here = True

    def stop(self) -> None:
        """End, unless somebody else had started `tracemalloc`."""
        if self._began_here:
            tracemalloc.stop()

    def take(self) -> dict[tuple[Frame, ...], tuple[int, ...]]:
        """Blocks and bytes held now by each stack, leaf first."""
        if not tracemalloc.is_tracing():  # somebody else has ended it
            return {}
        began = time.perf_counter()
        snapshot = tracemalloc.take_snapshot()
        self.took = time.perf_counter() - began
        counted: dict[tuple[tuple[str, int], ...], list[int]] = {}
        for _, size, frames, *_ in snapshot.traces._traces:  # type: ignore[attr-defined]
            held = counted.setdefault(frames, [0, 0])
            held[0] += 1
            held[1] += size
        found: dict[tuple[Frame, ...], tuple[int, ...]] = {}
        for frames, (blocks, size) in counted.items():
            stack = tuple(self._named(file, line) for file, line in frames)
            if not stack or stack[0][1].startswith((_OWN, tracemalloc.__file__)):
                continue
            before = found.get(stack, (0, 0))
            found[stack] = (before[0] + blocks, before[1] + size)
        return found

    def _named(self, file: str, line: int) -> Frame:
        if file not in self._functions:
            self._functions[file] = _Functions(file)
        return self._functions[file].at(line), file, line


class _Functions:
    """Which function of a source file a line is in; `tracemalloc` knows only lines."""

    def __init__(self, file: str) -> None:
        self._starts: list[int] = []
        self._names: list[str] = []
        try:
            with open(file, encoding="utf-8") as source:
                tree = ast.parse(source.read())
        except (OSError, SyntaxError, ValueError, RecursionError):
            tree = ast.Module([], [])
        names: dict[int, str] = {}
        self._walk(tree, "<module>", names)
        for line in sorted(names):
            if not self._names or self._names[-1] != names[line]:
                self._starts.append(line)
                self._names.append(names[line])

    def at(self, line: int) -> str:
        """The function's name."""
        place = bisect_right(self._starts, line) - 1
        return self._names[place] if place >= 0 else "<module>"

    def _walk(self, node: ast.AST, name: str, names: dict[int, str]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                inner = "<lambda>" if isinstance(child, ast.Lambda) else child.name
                end = (child.end_lineno or child.lineno) + 1
                names.setdefault(end, name)
                if not isinstance(child, ast.Lambda) or child.lineno not in names:
                    names[child.lineno] = inner
                self._walk(child, inner, names)
            else:
                self._walk(child, name, names)
