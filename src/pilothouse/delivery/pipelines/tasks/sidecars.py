"""Sidecars: started before the steps, waited for until they are ready, ended after the steps."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from pilothouse.delivery.pipelines import times
from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.executors.launching import Launch
from pilothouse.delivery.pipelines.executors.spawning import Child, SpawnError, finish, spawn
from pilothouse.delivery.pipelines.tasks.launches import Launches
from pilothouse.delivery.pipelines.tasks.output import Output
from pilothouse.delivery.pipelines.tasks.setting import Setting

# A sidecar without a probe counts as ready when it runs; one that only writes a file gets the time to do so, as it
# has on a cluster while the containers of the steps start.
_HEAD_START = 0.25


class Sidecars:
    """All sidecars of one TaskRun."""

    def __init__(self, found: list[dict[str, Any]], launches: Launches, setting: Setting, logs: str, uid: str) -> None:
        self._found = found
        self._launches = launches
        self._setting = setting
        self._logs = logs
        self._more = {**setting.environment, "PILOTHOUSE_TASK_RUN": uid}
        self._running: list[tuple[str, dict[str, Any], Launch, Child, Output, int]] = []

    async def start(self) -> None:
        """Start all and wait until each is ready. Raises `RunError`."""
        for index, sidecar in enumerate(self._found):
            self._start(sidecar.get("name") or f"unnamed-{index}", sidecar)
        await asyncio.gather(*(self._ready(*one[:4]) for one in self._running))

    def _start(self, name: str, sidecar: dict[str, Any]) -> None:
        launch = self._launches.launch(f"sidecar-{name}", sidecar, None, self._more)
        output = Output(f"{self._logs}.sidecar-{name}.log", self._setting.masker, lambda _: None)
        try:
            child = spawn(self._setting.launcher.prepare(launch), output.feed)
        except SpawnError as error:
            output.close()
            raise RunError("Failed", f"sidecar {name}: {error}") from None
        self._running.append((name, sidecar, launch, child, output, times.now()))

    async def _ready(self, name: str, sidecar: dict[str, Any], launch: Launch, child: Child) -> None:
        probe = sidecar.get("readinessProbe") or sidecar.get("startupProbe")
        if not probe:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HEAD_START):
                    await child.wait()
            return
        await asyncio.sleep(min(float(probe.get("initialDelaySeconds") or 0), 5))
        failures = 0
        while child.running:
            if await self._probe(probe, launch):
                return
            failures += 1
            if failures > 600:
                break
            await asyncio.sleep(min(float(probe.get("periodSeconds") or 1), 0.5))
        raise RunError("Failed", f"sidecar {name} did not become ready")

    async def _probe(self, probe: dict[str, Any], launch: Launch) -> bool:
        if probe.get("exec"):
            command = tuple(map(str, probe["exec"].get("command") or ["true"]))
            try:
                return (await spawn(self._setting.launcher.beside(launch, command), lambda _: None).wait()).code == 0
            except SpawnError:
                return False
        target = probe.get("httpGet") or probe.get("tcpSocket") or {}
        try:
            _, writer = await asyncio.open_connection(target.get("host") or "127.0.0.1", int(target.get("port") or 80))
            writer.close()
        except (OSError, ValueError):
            return False
        return True

    async def stop(self) -> list[dict[str, Any]]:
        """End all; their states as Tekton's status has them."""
        exits = await asyncio.gather(*(one[3].stop(min(self._setting.grace, 2.0)) for one in self._running))
        for (_, _, launch, _, _, _), exited in zip(self._running, exits, strict=True):
            if exited.signal:
                await finish(self._setting.launcher.finish(launch.container))
        states = []
        for (name, sidecar, _, _, output, started), exited in zip(self._running, exits, strict=True):
            output.close()
            states.append(
                {
                    "container": f"sidecar-{name}",
                    "imageID": self._launches.meaning(name, sidecar).identity,
                    "name": name,
                    "terminated": {
                        "exitCode": 0 if exited.signal else exited.code,
                        "finishedAt": times.written(times.now()),
                        "reason": "Completed",
                        "startedAt": times.written(started),
                    },
                }
            )
        self._running = []
        return states
