"""The same on several cores: large sets of manifests are read and checked by forked processes.

Only where forking is safe: in the command, on Linux; a server never forks.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pilothouse.hazards.checking import Compiled, check_objects
from pilothouse.hazards.facts.world import World
from pilothouse.hazards.model import Finding
from pilothouse.kube.objects import KubeObject
from pilothouse.kube.rendering import is_chart, is_kustomization
from pilothouse.kube.sources import Manifests, files_of, read, read_file

# Below these, starting processes costs more than it saves.
_MANY_FILES, _MANY_OBJECTS = 400, 1_000
_state: tuple[Sequence[KubeObject], Compiled, World] | None = None


def _processes() -> int:
    return min(os.cpu_count() or 1, 8) if sys.platform == "linux" else 1


def read_spread(paths: Sequence[str], values: Sequence[Path] = (), kubernetes: str = "") -> Manifests:
    """As `kube.read`, with the files of a large plain directory shared out."""
    if len(paths) == 1 and _processes() > 1 and _plain(Path(paths[0])):
        files = list(files_of(Path(paths[0])))
        if len(files) >= _MANY_FILES:
            size = max(50, len(files) // (_processes() * 4))
            chunks = [files[at : at + size] for at in range(0, len(files), size)]
            found = Manifests()
            with ProcessPoolExecutor(_processes(), multiprocessing.get_context("fork")) as pool:
                for part in pool.map(_read_files, chunks):
                    found.extend(part)
            return found
    return read(paths, values, kubernetes)


def _plain(path: Path) -> bool:
    """A directory without charts and kustomizations."""
    return path.is_dir() and not any(
        is_chart(below) or is_kustomization(below) for below in map(Path, (place for place, _, _ in os.walk(path)))
    )


def _read_files(paths: Sequence[Path]) -> Manifests:
    found = Manifests()
    for path in paths:
        read_file(found, path)
    return found


def check_spread(objects: Sequence[KubeObject], compiled: Compiled, world: World) -> list[Finding]:
    """As `check_objects`, with many objects shared out; children inherit the objects and give back findings."""
    global _state
    if len(objects) < _MANY_OBJECTS or _processes() < 2 or world.live:
        return check_objects(objects, compiled, world)
    # Everything that is computed once is computed before the fork.
    _ = (world.facts, world.workloads, world.services, world.budgets, world.policies, world.scalers, world.names)
    _ = (world.in_namespace, world.claims, world.accounts, world.cluster_reads)
    world.candidates("", {})
    for one in objects[:200]:
        for scope in ("object", "pod", "container"):
            compiled.prepare(scope, one.kind)
    _state = (objects, compiled, world)
    size = max(100, len(objects) // (_processes() * 4))
    bounds = [(at, min(at + size, len(objects))) for at in range(0, len(objects), size)]
    findings: list[Finding] = []
    with ProcessPoolExecutor(_processes(), multiprocessing.get_context("fork")) as pool:
        for part, errors in pool.map(_check_part, bounds):
            findings += part
            compiled.errors |= errors
    _state = None
    return _with_rules(findings, compiled)


def _check_part(bounds: tuple[int, int]) -> tuple[list[Finding], dict[str, str]]:
    assert _state
    objects, compiled, world = _state
    start, end = bounds
    return check_objects(objects[start:end], compiled, world, start), compiled.errors


def _with_rules(findings: list[Finding], compiled: Compiled) -> list[Finding]:
    """The findings with our own rule objects instead of the copies that came through the pipe."""
    rules = {rule.id: rule for rule in compiled.rules}
    for finding in findings:
        finding.rule = rules[finding.rule.id]
    return findings
