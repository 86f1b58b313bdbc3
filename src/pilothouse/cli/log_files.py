"""`pilothouse logs --grep REGEX FILE...`: RE2 over plain files, as fast as one core reads them."""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from pilothouse.cli.client import FAILED, fail, nobody_reads

_CHUNK = 1 << 24


def search_files(expressions: list[str], files: list[Path], invert: bool, count: bool, context: int) -> None:
    """Lines that match all expressions, as grep writes them; ends with 1 when there are none."""
    tests = [_test(expression) for expression in expressions]
    out, total = sys.stdout.buffer, 0
    prefix = len(files) > 1
    for path in files:
        name = f"{path}:".encode() if prefix else b""
        try:
            found = _matching(path, tests, invert)
            if count:
                lines = sum(1 for _ in found)
                total += lines
                out.write(name + f"{lines}\n".encode())
            elif context:
                total += _with_context(path, found, name, context, out)
            else:
                for _, line in found:
                    out.write(name + line + b"\n")
                    total += 1
        except BrokenPipeError:
            nobody_reads()
            raise typer.Exit(0) from None
        except OSError as error:
            typer.echo(f"pilothouse: {path}: {error.strerror}", err=True)
            raise typer.Exit(FAILED) from None
    out.flush()
    raise typer.Exit(0 if total else 1)


def _test(expression: str) -> Any:
    """A function from a buffer and a place to where the next match begins (-1: nowhere)."""
    import re2

    from pilothouse.signals.logs.compiling.literals import literal_of

    text, ignores_case = literal_of(expression)
    if text and not ignores_case:
        needle = text.encode()
        return lambda buffer, place: buffer.find(needle, place)
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(f"(?m){expression}".encode(), options)
    except re2.error as error:
        fail(f"--grep: {expression!r} is not a regular expression: {_reason(error)}")

    def search(buffer: Any, place: int) -> int:
        found = compiled.search(buffer, place)
        return found.start() if found else -1

    return search


def _reason(error: Exception) -> str:
    """RE2's words, without the flags that were put before the expression."""
    said = error.args[0] if error.args else ""
    return (said.decode(errors="replace") if isinstance(said, bytes) else str(said)).replace("(?m)", "", 1)


def _matching(path: Path, tests: list[Any], invert: bool) -> Iterator[tuple[int, bytes]]:
    """(where the line begins, the line) for each that fits."""
    first, rest = tests[0], tests[1:]
    for base, chunk in _chunks(path):
        if invert:
            yield from _inverted(base, chunk, tests)
            continue
        place = 0
        while (hit := first(chunk, place)) >= 0 and hit < len(chunk):
            start = chunk.rfind(b"\n", 0, hit) + 1
            end = chunk.find(b"\n", hit)
            end = len(chunk) if end < 0 else end
            line = chunk[start:end]
            if all(test(line, 0) >= 0 for test in rest) and (first(line, 0) >= 0):
                yield base + start, line
            place = end + 1
            if place > len(chunk):
                break


def _inverted(base: int, chunk: bytes, tests: list[Any]) -> Iterator[tuple[int, bytes]]:
    place = 0
    for line in chunk.removesuffix(b"\n").split(b"\n"):
        if not all(test(line, 0) >= 0 for test in tests):
            yield base + place, line
        place += len(line) + 1


def _chunks(path: Path) -> Iterator[tuple[int, bytes]]:
    """Whole lines, some megabytes at a time."""
    handle = sys.stdin.fileno() if str(path) == "-" else os.open(path, os.O_RDONLY)
    base, rest = 0, b""
    try:
        while chunk := os.read(handle, _CHUNK):
            chunk = rest + chunk
            end = chunk.rfind(b"\n") + 1
            if end:
                yield base, chunk[:end]
                base += end
            rest = chunk[end:]
        if rest:
            yield base, rest
    finally:
        if str(path) != "-":
            os.close(handle)


def _with_context(path: Path, found: Iterator[tuple[int, bytes]], name: bytes, context: int, out: Any) -> int:
    """Each match with the lines around it, `--` between groups that do not touch."""
    total, shown, pending = 0, 0, 0
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return 0
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            for place, line in found:
                # The lines behind a match end where the next match begins.
                _write(out, name, text[shown : min(pending, place)], b"-")
                shown = max(shown, min(pending, place))
                start = max(_back(text, place, context), shown)
                if total and start > shown:
                    out.write(b"--\n")
                _write(out, name, text[start:place], b"-")
                out.write(name + line + b"\n")
                total, shown = total + 1, min(place + len(line) + 1, len(text))
                pending = _on(text, shown, context)
            _write(out, name, text[shown:pending], b"-")
    return total


def _write(out: Any, name: bytes, lines: bytes, mark: bytes) -> None:
    for line in lines.removesuffix(b"\n").split(b"\n") if lines else ():
        out.write((name[:-1] + mark if name else b"") + line + b"\n")


def _back(text: Any, place: int, lines: int) -> int:
    for _ in range(lines):
        if place <= 0:
            return 0
        place = text.rfind(b"\n", 0, place - 1) + 1
    return place


def _on(text: Any, place: int, lines: int) -> int:
    for _ in range(lines):
        if place >= len(text):
            return len(text)
        end = text.find(b"\n", place)
        place = len(text) if end < 0 else end + 1
    return min(place, len(text))
