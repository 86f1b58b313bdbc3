"""A delivery room in this process: the built-in forge with real git, the inbox, pipelines and what acts on them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pilothouse.control import opening
from pilothouse.delivery.acting.serving import DeliveryServer
from pilothouse.delivery.forges import Event, PullRequest
from pilothouse.delivery.forges.local import House, LocalForge
from pilothouse.delivery.inbox import Inbox, Limits
from pilothouse.delivery.pipelines.executors.namespace import bubblewrap
from pilothouse.delivery.pipelines.serving import PipelineServer

REPOSITORY = "acme/shop"
UNIT = """
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata:
  name: unit
  annotations:
    pipelinesascode.tekton.dev/on-event: "[pull_request]"
    pipelinesascode.tekton.dev/on-target-branch: "[main]"
spec:
  pipelineSpec:
    tasks:
    - name: test
      taskSpec:
        steps:
        - name: run
          image: busybox
          script: |
            #!/bin/sh
            sh ./test.sh
"""
FILES = {
    "OWNERS": "approvers: [ann, bob]\nreviewers: [ann, bob]\n",
    "ui/OWNERS": "approvers: [uma]\noptions: {no_parent_owners: true}\n",
    ".tekton/unit.yaml": UNIT, "test.sh": "set -e\nfor one in checks/*.sh; do sh $one; done\n", "checks/a.sh": "true\n",
    "README.md": "A shop.\n",
}  # fmt: skip


def until(question: Callable[[], Any], what: str = "", seconds: float = 60) -> Any:
    """Ask until the answer is true: soon at first, then less and less often, for each question reads the forge."""
    end = time.monotonic() + seconds
    pause = 0.02
    while time.monotonic() < end:
        if found := question():
            return found
        time.sleep(pause)
        pause = min(1.5 * pause, 0.25)
    raise AssertionError(f"never: {what or question}")


class Room:
    """All of it, in a directory. `stop` and `start` are what a new process would find."""

    def __init__(self, directory: Path, *, people: bool = True, database: str = "") -> None:
        """With `people` for a new directory; else those are taken up that are there."""
        self.directory = directory
        self.database = database or opening.address(f"sqlite:///{directory / 'control.db'}")
        self.events: list[Event] = []
        # An event that a killed process held is free again soon.
        self.inbox = Inbox(self.database, Limits(lease=3.0, pauses=(0.2, 0.5, 1, 2, 5, 5, 5, 5)))
        self.house = House(directory / "forge", self.database, self.hear)
        self.house.open()
        self.forge = LocalForge.as_pilothouse(self.house)
        for login in ("ann", "bob", "uma", "eve") if people else ():
            self.house.people.add(login, login.title(), f"{login}@example.org")
        (directory / "pipelines").mkdir(exist_ok=True)
        self.start()

    def hear(self, event: Event) -> None:
        """What the forge tells."""
        self.events.append(event)
        self.inbox.put_now(event)

    def start(self) -> None:
        """Begin to act."""
        self.pipelines = PipelineServer(self.directory / "pipelines", self.directory, self.database)
        self.server = DeliveryServer(
            self.database, self.directory, {"local": self.forge}, self.inbox, self.pipelines,
            lambda run: f"http://127.0.0.1:4000/delivery/{run}", strangers="sandbox" if bubblewrap() else "process",
        )  # fmt: skip
        self.pipelines.start()
        self.server.start()

    def stop(self) -> None:
        """End what acts."""
        self.server.close()
        self.pipelines.close()

    def close(self) -> None:
        """End all of it."""
        self.stop()
        self.inbox.close()
        self.house.close()

    def repository(self, name: str = REPOSITORY, files: Mapping[str, str] = FILES) -> str:
        """Make a repository with files; ann, bob and uma may write there, eve may not."""
        self.forge.create_repository(name)
        self.forge.commit_files(name, "main", "begin", {path: text.encode() for path, text in files.items()})
        for login in ("ann", "bob", "uma"):
            self.forge.allow(name, login, "write")
        return name

    def pull(
        self, branch: str, files: Mapping[str, str | None], author: str = "ann", title: str = "",
        repository: str = REPOSITORY,
    ) -> int:  # fmt: skip
        """Open a pull request with a commit of these files; who may not write does it from a fork."""
        forge = self.forge.acting_as(author)
        source, head = repository, branch
        if self.forge.permission(repository, author) not in ("write", "admin"):
            source, head = forge.fork(repository).full_name, f"{author}:{branch}"
        self.commit(branch, files, author, source)
        number = forge.create_pull_request(repository, head, "main", title or f"Change {branch}").number
        self.calm()
        return number

    def commit(
        self, branch: str, files: Mapping[str, str | None], author: str, repository: str = REPOSITORY, message: str = ""
    ) -> str:
        """A commit on a branch, which is made where it is not there."""
        contents = {path: text.encode() if text is not None else None for path, text in files.items()}
        message = message or f"Change {', '.join(files)}"
        return self.forge.acting_as(author).commit_files(repository, branch, message, contents)

    def say(self, number: int, author: str, text: str, repository: str = REPOSITORY) -> None:
        """A comment, and all that follows from it at once."""
        self.forge.acting_as(author).add_comment(repository, number, text)
        self.calm()

    def calm(self) -> None:
        """Until every event is worked off."""
        until(lambda: not self.open_events(), "the inbox is empty")

    def open_events(self) -> int:
        """How many events wait or are worked on; fails when one was set aside."""
        counts = self.inbox.counts()
        assert not counts.get("aside"), [one.reason for one in self.inbox.events(state="aside")]
        return counts.get("waiting", 0) + counts.get("taken", 0)

    def raw(self, number: int, repository: str = REPOSITORY) -> PullRequest:
        """The pull request as the forge has it."""
        return self.forge.pull_request(repository, number)

    def labels(self, number: int) -> frozenset[str]:
        """Its labels."""
        return self.raw(number).labels

    def comments(self, number: int) -> list[str]:
        """What Pilothouse said."""
        return [one.body for one in self.forge.comments(REPOSITORY, number) if one.author == self.forge.me.login]

    def status(self, number: int, context: str = "unit") -> str:
        """The state of a context on the head."""
        found = self.forge.statuses(REPOSITORY, self.raw(number).head.sha).get(context)
        return found.state if found else ""

    def finished(self, number: int, context: str = "unit") -> str:
        """The same, once it is over."""

        def over() -> str:
            state = self.status(number, context)
            return state if state in ("success", "failure", "error") else ""

        return str(until(over, f"{context} of #{number} ends"))

    def why(self, number: int, repository: str = REPOSITORY) -> dict[str, Any]:
        """The answer of the API."""
        found = self.server.parts["local"].why(repository, number)
        assert found is not None
        return found

    def merged(self, *numbers: int) -> None:
        """Wait for their merge."""
        for number in numbers:
            until(lambda number=number: self.raw(number).state == "merged", f"#{number} is merged: {self.why(number)}")

    def git(self, *words: str, repository: str = REPOSITORY) -> str:
        """Real git on the forge's repository."""
        kept = self.house.repositories.find(repository)
        place = self.house.repositories.git(kept).directory
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
        done = subprocess.run(
            ["git", f"--git-dir={place}", *words], check=True, capture_output=True, text=True, env=environment
        )
        return done.stdout.strip()


@contextlib.contextmanager
def a_room(directory: Path, *, people: bool = True) -> Iterator[Room]:
    """A room for a test file."""
    room = Room(directory, people=people)
    try:
        yield room
    finally:
        room.close()
