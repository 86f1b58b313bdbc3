"""Breakpoints: a failed step waits, can be looked into, and goes on or fails as it is told."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from pilothouse.delivery.pipelines import (
    Catalog,
    Document,
    Engine,
    Options,
    ProcessLauncher,
    choose,
    events,
    read_text,
    to_run,
)
from pilothouse.delivery.pipelines.executors import namespace
from pilothouse.delivery.pipelines.executors.containers import ContainerLauncher
from pilothouse.delivery.pipelines.executors.launching import Launcher
from pilothouse.delivery.pipelines.executors.sandbox import SandboxLauncher
from tests.delivery.pipelines.running import task
from tests.delivery.pipelines.test_containers import Engine as Containers


def launcher(kind: str, directory: Path) -> Launcher:
    if kind == "process":
        return ProcessLauncher()
    if namespace.bubblewrap() is None:
        pytest.skip("bubblewrap cannot make namespaces here")
    return SandboxLauncher() if kind == "sandbox" else ContainerLauncher(str(Containers(directory).program))


@pytest.mark.parametrize(
    ("word", "reason", "kind"),
    [("continue", "Succeeded", "process"), ("fail", "Failed", "sandbox"), ("fail", "Failed", "containers")],
)
def test_a_failed_step_waits(tmp_path: Path, word: str, reason: str, kind: str) -> None:
    documents = read_text(
        task(
            "- {name: s, image: bash, script: 'echo x > /workspace/left; exit 7'}\n- {name: next, image: bash, script: echo went on}"
        )
    )
    looked: list[str] = []

    def listen(event: events.Event) -> None:
        if isinstance(event, events.Paused):
            # What a person would do: look around where the step was, then say how to go on.
            done = subprocess.run(
                [*event.shell[:-1], "-c", "cat /workspace/left"],
                env=event.environment,
                cwd=event.directory,
                capture_output=True,
                text=True,
            )
            looked.append(done.stdout)
            Path(event.release).write_text(word)

    async def go() -> str:
        engine = Engine(Catalog(documents), Options(tmp_path, launcher(kind, tmp_path), listen, breakpoints=True))
        run = await engine.run(to_run(choose(documents)[0]))
        return run.condition.reason

    assert asyncio.run(go()) == reason
    assert looked == ["x\n"]


@pytest.mark.parametrize(
    ("words", "reason", "seen", "paused"),
    [
        (["continue", "continue"], "Succeeded", "one\ntwo\n", [("b", True), ("b", False)]),
        (["continue", "fail"], "Failed", "one\ntwo\n", [("b", True), ("b", False)]),
        (["fail", "fail"], "Failed", "one\n", [("b", True)]),
    ],
)
def test_breakpoints_in_the_yaml(
    tmp_path: Path, words: list[str], reason: str, seen: str, paused: list[tuple[str, bool]]
) -> None:
    documents = read_text(
        task(
            "- {name: a, image: bash, script: echo one}\n- {name: b, image: bash, script: echo two; exit 3}",
            run="debug: {breakpoints: {onFailure: enabled, beforeSteps: [b]}}",
        )
    )
    at: list[tuple[str, bool]] = []
    output: list[bytes] = []

    def listen(event: events.Event) -> None:
        if isinstance(event, events.StepOutput):
            output.append(event.data)
        if isinstance(event, events.Paused):
            at.append((event.step, event.before))
            Path(event.release).write_text(words[len(at) - 1])

    engine = Options(tmp_path, ProcessLauncher(), listen)
    run = asyncio.run(_run(documents, engine))
    assert (run, at, b"".join(output).decode()) == (reason, paused, seen)


async def _run(documents: list[Document], options: Options) -> str:
    return (await Engine(Catalog(documents), options).run(to_run(choose(documents)[0]))).condition.reason
