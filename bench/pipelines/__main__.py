"""`python -m bench.pipelines`: a task over `sh -c`, a sandbox over that, tasks a second of a large graph.

State is kept as in use (SQLite, every commit on the disk). The published figure for Tekton on a warm node is about 5 s
for a TaskRun of one step (tektoncd/pipeline, performance discussions); it cannot be measured without a cluster.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines import Document, Options, ProcessLauncher, require
from pilothouse.delivery.pipelines.executors import namespace
from pilothouse.delivery.pipelines.executors.sandbox import SandboxLauncher
from pilothouse.delivery.pipelines.service import Service
from pilothouse.delivery.pipelines.state.store import RunStore

_TIMES = 40


def main() -> None:
    """Measure and print a table in Markdown."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| what | median | CPU |\n|---|---|---|")
    plain = _row("`sh -c true`", _shell)
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as name:
        store = RunStore(f"sqlite:///{name}/control.db")
        asyncio.run(_all(Path(name), store, tasks, plain))
        store.close()
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


async def _all(data: Path, store: RunStore, tasks: int, plain: float) -> None:
    process = Service(store, Options(data, ProcessLauncher()))
    one = await _arow("TaskRun of one step, with state", lambda: _run(process, _task("true")))
    two = await _arow("the same in a mount namespace (names /workspace)", lambda: _run(process, _task("ls /workspace")))
    print(f"| overhead over `sh -c` | {(one - plain) * 1e3:.1f} ms, in a namespace {(two - plain) * 1e3:.1f} ms | |")
    if namespace.bubblewrap():
        sandbox = Service(store, Options(data, SandboxLauncher()))
        three = await _arow("the same in the sandbox", lambda: _run(sandbox, _task("true")))
        print(f"| sandbox over process | {(three - one) * 1e3:.1f} ms | |")
    for results in (False, True):
        document = _graph(tasks, results)
        require([document])
        before, began = _cpu(), time.perf_counter()
        await _run(process, document)
        took, used = time.perf_counter() - began, _cpu() - before
        words = "with a result each" if results else "that do nothing"
        rate = f"{tasks / took:.0f} tasks/s | {tasks / used:.0f} tasks per CPU-second"
        print(f"| graph of {tasks} tasks {words}, ten wide | {rate} |")


async def _run(service: Service, document: Document) -> None:
    run = await service.run(document, [document])
    assert run.condition.succeeded, run.condition


def _task(script: str) -> Document:
    spec = {"taskSpec": {"steps": [{"image": "ubuntu", "script": script}]}}
    return Document(
        {"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "metadata": {"generateName": "bench-"}, "spec": spec}
    )


def _graph(count: int, results: bool) -> Document:
    tasks: list[dict[str, Any]] = []
    for index in range(count):
        step = {"image": "ubuntu", "script": "printf x > $(results.r.path)" if results else "true"}
        tasks.append({"name": f"t{index}", "taskSpec": {"results": [{"name": "r"}], "steps": [step]}})
        if index >= 10:
            tasks[-1]["runAfter"] = [f"t{index - 10}"]
    spec = {"pipelineSpec": {"tasks": tasks}}
    return Document(
        {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"generateName": "graph-"}, "spec": spec}
    )


def _shell() -> None:
    subprocess.run(["sh", "-c", "true"], check=True)


def _row(what: str, work: Callable[[], None]) -> float:
    times, before = [], _cpu()
    for _ in range(_TIMES):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return _say(what, times, _cpu() - before)


async def _arow(what: str, work: Callable[[], Awaitable[None]]) -> float:
    await work()
    times, before = [], _cpu()
    for _ in range(_TIMES):
        began = time.perf_counter()
        await work()
        times.append(time.perf_counter() - began)
    return _say(what, times, _cpu() - before)


def _say(what: str, times: list[float], used: float) -> float:
    median = statistics.median(times)
    print(f"| {what} | {median * 1e3:.1f} ms | {used / len(times) * 1e3:.1f} ms |", flush=True)
    return median


def _cpu() -> float:
    mine, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime


if __name__ == "__main__":
    main()
