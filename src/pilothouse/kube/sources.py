"""Manifests from files, directories, stdin, Helm charts and kustomizations."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.kube.errors import RenderingError
from pilothouse.kube.objects import KubeObject
from pilothouse.kube.parsing import Problem, parse
from pilothouse.kube.rendering import build_kustomization, is_chart, is_kustomization, render_chart

# Larger files are dumps, not manifests; the check's memory stays bounded.
MAX_FILE = 256_000_000
SUFFIXES = (".yaml", ".yml", ".json")
_SKIPPED = {"node_modules", "vendor", "__pycache__"}


@dataclass(slots=True)
class Manifests:
    """All objects that were found, in order, what could not be read, and how many files were looked at."""

    objects: list[KubeObject] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: int = 0

    def add(self, text: str, file: str) -> None:
        """The objects of a text."""
        parsed = parse(text, file)
        self.objects += parsed.objects
        self.problems += parsed.problems
        self.files += 1

    def extend(self, other: Manifests) -> None:
        """All of another reading."""
        self.objects += other.objects
        self.problems += other.problems
        self.files += other.files


def read(paths: Iterable[str | Path], values: Sequence[Path] = (), kubernetes: str = "") -> Manifests:
    """Read each path: a file, a directory (charts and kustomizations in it are rendered), or `-` for stdin.

    `values` are value files for charts, `kubernetes` the version that charts are rendered for. Nothing raises: what
    cannot be read is in `problems`.
    """
    found = Manifests()
    for path in paths:
        if str(path) == "-":
            _add_bytes(found, sys.stdin.buffer.read(MAX_FILE + 1), "-")
        elif (given := Path(path)).is_dir():
            _add_directory(found, given, values, kubernetes)
        elif not given.exists():
            found.problems.append(Problem(str(path), 0, 0, "no such file or directory"))
        else:
            read_file(found, given)
    return found


def read_file(found: Manifests, path: Path) -> None:
    """One file's objects into `found`."""
    try:
        if path.is_file() and path.stat().st_size > MAX_FILE:
            found.problems.append(Problem(str(path), 0, 0, f"larger than {MAX_FILE // 1_000_000} MB; not read"))
            return
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        found.problems.append(Problem(str(path), 0, 0, error.strerror or str(error)))
        return
    _add_bytes(found, data, str(path))


def _add_bytes(found: Manifests, data: bytes, file: str) -> None:
    if len(data) > MAX_FILE:
        found.problems.append(Problem(file, 0, 0, f"larger than {MAX_FILE // 1_000_000} MB; not read"))
        return
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found.problems.append(Problem(file, line, 1, "not text: neither UTF-8 nor UTF-16"))
        return
    found.add(text, file)


def files_of(directory: Path) -> Iterator[Path]:
    """The manifests below a directory, in a stable order; hidden and vendored directories are left out."""
    found: list[str] = []
    for place, inside, names in os.walk(directory):
        # What is not descended into costs nothing, whatever is in it.
        inside[:] = [name for name in inside if not _skipped(name)]
        found += [os.path.join(place, name) for name in names if name.lower().endswith(SUFFIXES)]
    for text in sorted(found, key=lambda text: text.split(os.sep)):
        if os.path.isfile(text):
            yield Path(text)


def _skipped(part: str) -> bool:
    return part.startswith(".") or part in _SKIPPED


def _add_directory(found: Manifests, directory: Path, values: Sequence[Path], kubernetes: str) -> None:
    rendered: list[Path] = []
    for path in [directory, *sorted(directory.rglob("*/"))]:
        inside = path.relative_to(directory).parts
        if any(_skipped(part) for part in inside) or any(path.is_relative_to(one) for one in rendered):
            continue
        if not (is_chart(path) or is_kustomization(path)):
            continue
        rendered.append(path)
        try:
            text = render_chart(path, values, kubernetes=kubernetes) if is_chart(path) else build_kustomization(path)
        except RenderingError as error:
            found.problems.append(Problem(str(path), 0, 0, str(error).removeprefix(f"{path}: ")))
            continue
        found.add(text, f"{path} (rendered)")
    for path in files_of(directory):
        if not any(path.is_relative_to(one) for one in rendered) and path.name not in ("kustomization.yaml",):
            read_file(found, path)
