"""Compiles the sampler of the heap for the Python that runs this; `python native/build_native.py` for the Makefile.

It is the one part that Python cannot do: it stands where Python asks for memory. Where there is no C compiler, no
header of Python's, or a Python that it was not made for, the profiler has `tracemalloc`, which costs far more.
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

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "heap_sampling.c"
TARGET = HERE.parent / "src" / "pilothouse" / "profiler"
_FLAGS = ("-O2", "-Wall", "-fPIC", "-shared")


def build_native() -> Path | str:
    """The compiled module, made anew when its source or this Python changed; in words, why there is none."""
    if sys.implementation.name != "cpython" or os.name == "nt" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "the heap sampler is for CPython with its GIL, on Linux and macOS: the heap is profiled by tracemalloc"
    target = TARGET / f"_heap_sampling{sysconfig.get_config_var('EXT_SUFFIX')}"
    stamp = HERE / "build" / f"{target.name}.built-from"
    digest = hashlib.sha256(SOURCE.read_bytes() + sys.version.encode()).hexdigest()
    if target.is_file() and stamp.is_file() and stamp.read_text() == digest:
        return target
    compiler = (
        shlex.split(os.environ.get("CC", "")) or [name for name in ("cc", "gcc", "clang") if shutil.which(name)][:1]
    )
    if not compiler:
        return "no C compiler (cc) is here: the heap is profiled by tracemalloc"
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    undefined = ("-undefined", "dynamic_lookup") if sys.platform == "darwin" else ()
    headers = f"-I{sysconfig.get_path('include')}"
    command = [*compiler, *_FLAGS, *undefined, headers, str(SOURCE), "-o", str(partial), "-lm"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError as error:
        return f"{compiler[0]} cannot be run ({error}): the heap is profiled by tracemalloc"
    if done.returncode != 0:
        partial.unlink(missing_ok=True)
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        return f"{compiler[0]} could not compile the heap sampler ({said}): the heap is profiled by tracemalloc"
    partial.replace(target)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(digest)
    return target


if __name__ == "__main__":
    built = build_native()
    sys.stderr.write(f"{built}\n" if isinstance(built, str) else "")
