"""Compiles what is in C for the Python that runs this; `python native/build_native.py` for the Makefile.

Five things are: the sampler of the heap, which stands where Python asks for memory, the scan of OTLP requests, which
looks at each of their bytes, what makes rows of them, range functions over samples in memory, and the JSON of matrices.
Where there is no C compiler, no header of Python's, or a Python that they were not made for, another way does the same
and costs more.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent / "src" / "pilothouse"
# Sums and products are not to be contracted: answers are the same to the last bit on each machine.
_FLAGS = ("-O3", "-Wall", "-fPIC", "-shared", "-ffp-contract=off")


class Native(NamedTuple):
    """A module in C: its source beside this file, where it goes, and what happens without it."""

    name: str
    room: str
    without: str

    @property
    def source(self) -> Path:
        """The C file, which is all there is of it."""
        return HERE / f"{self.name}.c"

    @property
    def target(self) -> Path:
        """The module as this Python imports it."""
        return PACKAGE / self.room / f"_{self.name}{sysconfig.get_config_var('EXT_SUFFIX')}"


MODULES = (
    Native("heap_sampling", "profiler", "the heap is profiled by tracemalloc"),
    Native("otlp_scanning", "signals/receive", "OTLP requests are parsed, which takes more of the CPU"),
    Native("segment_rows", "signals", "the engine makes the rows of OTLP requests, which takes more of the CPU"),
    Native("range_windows", "signals/metrics/promql", "samples are read for each query, and none stay in memory"),
    Native("json_points", "signals/metrics/prometheus", "answers with many points take more of the CPU"),
)


def build_all() -> list[Path | str]:
    """Each compiled module, made anew when its source or this Python changed; in words, why one is not there."""
    return [build_native(module) for module in MODULES]


def build_native(module: Native) -> Path | str:
    """One of them."""
    if sys.implementation.name != "cpython" or os.name == "nt" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return f"{module.name}.c is for CPython with its GIL, on Linux and macOS: {module.without}"
    target = module.target
    stamp = HERE / "build" / f"{target.name}.built-from"
    sources = [module.source, *sorted(HERE.glob("*.h"))]
    digest = hashlib.sha256(b"".join(map(Path.read_bytes, sources)) + sys.version.encode()).hexdigest()
    if target.is_file() and stamp.is_file() and stamp.read_text() == digest:
        return target
    failure = _compile(module.source, target)
    if failure:
        return f"{failure}: {module.without}"
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(digest)
    return target


def _compile(source: Path, target: Path) -> str:
    """Why it could not be done; empty when it was."""
    compiler = (
        shlex.split(os.environ.get("CC", "")) or [name for name in ("cc", "gcc", "clang") if shutil.which(name)][:1]
    )
    if not compiler:
        return f"no C compiler (cc) is here for {source.name}"
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    undefined = ("-undefined", "dynamic_lookup") if sys.platform == "darwin" else ()
    headers = f"-I{sysconfig.get_path('include')}"
    command = [*compiler, *_FLAGS, *undefined, headers, str(source), "-o", str(partial), "-lm"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError as error:
        return f"{compiler[0]} cannot be run ({error})"
    if done.returncode != 0:
        partial.unlink(missing_ok=True)
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        return f"{compiler[0]} could not compile {source.name} ({said})"
    partial.replace(target)
    return ""


if __name__ == "__main__":
    for built in build_all():
        sys.stderr.write(f"{built}\n" if isinstance(built, str) else "")
