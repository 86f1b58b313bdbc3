"""The built-in forge with all that acts on it, in one process, and a repository to work on."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pilothouse.delivery.acting.serving import DeliveryServer
from pilothouse.delivery.forges.local import House, LocalForge
from pilothouse.delivery.inbox import Inbox
from pilothouse.delivery.pipelines.serving import PipelineServer

RUN = """
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata:
  name: unit
  annotations:
    pipelinesascode.tekton.dev/on-event: pull_request
    pipelinesascode.tekton.dev/on-target-branch: main
spec:
  pipelineSpec:
    tasks:
    - name: test
      taskSpec:
        steps:
        - {name: run, image: busybox, script: "%s"}
"""


class Bench:
    """All parts on a directory."""

    def __init__(self, directory: Path) -> None:
        database = f"sqlite:///{directory / 'control.db'}"
        self.directory = directory
        self.inbox = Inbox(database)
        self.house = House(directory / "forge", database, lambda event: self.hear(event))
        self.house.open()
        self.forge = LocalForge.as_pilothouse(self.house)
        for login in ("ann", "bob"):
            self.house.people.add(login, login.title(), f"{login}@example.org")
        self.heard: dict[int, float] = {}
        (directory / "pipelines").mkdir()
        self.pipelines = PipelineServer(directory / "pipelines", directory, database)
        self.server = DeliveryServer(database, directory, {"local": self.forge}, self.inbox, self.pipelines)
        self.pipelines.start()
        self.server.start()

    def hear(self, event: Any) -> None:
        """Where a webhook would come in."""
        if event.kind == "pull_request" and event.action == "opened":
            self.heard[event.number] = time.time()
        self.inbox.put_now(event)

    def repository(self, name: str, script: str, settings: str = "") -> str:
        """A repository whose one job is a script."""
        files = {"OWNERS": "approvers: [ann, bob]\n", ".tekton/unit.yaml": RUN % script, "README": "x\n"}
        if settings:
            files[".pilothouse/delivery.yaml"] = settings
        self.forge.create_repository(name)
        self.forge.commit_files(name, "main", "begin", {path: text.encode() for path, text in files.items()})
        for login in ("ann", "bob"):
            self.forge.allow(name, login, "write")
        return name

    def pull(self, repository: str, branch: str) -> int:
        """A pull request of one small file."""
        ann = self.forge.acting_as("ann")
        ann.commit_files(repository, branch, f"Add {branch}", {f"files/{branch}": branch.encode()})
        return ann.create_pull_request(repository, branch, "main", f"Add {branch}").number

    def calm(self) -> None:
        """Until all events are worked off."""
        until(lambda: not any(self.inbox.counts().get(state) for state in ("waiting", "taken")))

    def close(self) -> None:
        """End it."""
        self.server.close()
        self.pipelines.close()
        self.inbox.close()
        self.house.close()


def until(question: Callable[[], Any], seconds: float = 600) -> Any:
    """Ask until it is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := question():
            return found
        time.sleep(0.01)
    raise SystemExit("it took too long; the machine may be too busy")


def cpu() -> float:
    """CPU-seconds of this process and of those that it started and that ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def load() -> str:
    """How busy the machine is."""
    return f"{os.getloadavg()[0]:.1f}"
