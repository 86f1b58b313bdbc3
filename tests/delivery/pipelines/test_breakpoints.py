"""Breakpoints: a failed step waits, can be looked into, and goes on or fails as it is told."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from pilothouse.delivery.pipelines import Catalog, Engine, Options, ProcessLauncher, choose, events, read_text, to_run
from tests.delivery.pipelines.running import task


@pytest.mark.parametrize(("word", "reason"), [("continue", "Succeeded"), ("fail", "Failed")])
def test_a_failed_step_waits(tmp_path: Path, word: str, reason: str) -> None:
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
        engine = Engine(Catalog(documents), Options(tmp_path, ProcessLauncher(), listen, breakpoints=True))
        run = await engine.run(to_run(choose(documents)[0]))
        return run.condition.reason

    assert asyncio.run(go()) == reason
    assert looked == ["x\n"]
