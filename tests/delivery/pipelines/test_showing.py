"""A run as a picture, while it goes on and after; what can be started."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines import Options, ProcessLauncher, choose, read_text
from pilothouse.delivery.pipelines.service import Service
from pilothouse.delivery.pipelines.showing import picture, startable
from pilothouse.delivery.pipelines.state.store import RunStore, open_store

SHIP = """
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: ship}
spec:
  description: Builds and ships.
  params: [{name: version, default: "2"}, {name: where, type: array}]
  tasks:
    - name: build
      taskSpec:
        results: [{name: digest}]
        steps:
          - {name: wait, image: bash, script: "while [ ! -e GATE ]; do sleep 0.05; done; printf abc > $(results.digest.path)"}
    - name: check
      runAfter: [build]
      taskSpec: {steps: [{name: test, image: bash, script: "exit 3"}]}
    - name: deploy
      runAfter: [check]
      taskSpec: {steps: [{name: go, image: bash, script: "true"}]}
  finally:
    - name: tell
      taskSpec: {steps: [{name: say, image: bash, script: "true"}]}
"""


def states(shown: dict[str, Any]) -> dict[str, str]:
    return {task["name"]: task["state"] for task in shown["tasks"]}


async def run(store: RunStore, tmp_path: Path) -> dict[str, Any]:
    """Runs it; gives the picture from while its first task ran."""
    documents = read_text(SHIP.replace("GATE", str(tmp_path / "gate")).replace(", {name: where, type: array}", ""))
    service = Service(store, Options(tmp_path, ProcessLauncher(), grace=0.5))
    running = asyncio.ensure_future(service.run(choose(documents)[0], documents))
    deadline = time.monotonic() + 60
    while not (store.runs() and (early := picture(store, ""))["tasks"][0]["state"] == "running"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    (tmp_path / "gate").touch()
    await running
    return early


def test_a_run_is_shown_while_it_goes_on_and_after(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    early = asyncio.run(run(store, tmp_path))
    assert states(early) == {"build": "running", "check": "waiting", "deploy": "waiting", "tell": "waiting"}
    assert (early["pipeline"], early["finished"], early["status"]) == ("ship", None, "Unknown")
    assert early["tasks"][0]["started"] is not None
    late = picture(store, early["name"])
    assert states(late) == {"build": "succeeded", "check": "failed", "deploy": "skipped", "tell": "succeeded"}
    build, check, _, tell = late["tasks"]
    assert (build["after"], check["after"], tell["after"], tell["finally"]) == ([], ["build"], [], True)
    assert [(step["name"], step["exit_code"]) for step in check["steps"]] == [("test", 3)]
    assert [(one["name"], one["value"]) for one in build["results"]] == [("digest", "abc")]
    assert late["finished"] is not None
    # A run is found by exactly what came out of it.
    assert [len(store.runs(value=value)) for value in ("abc", "ab%", "ship")] == [1, 0, 0]
    store.close()


def test_what_can_be_started_says_its_parameters() -> None:
    assert startable(read_text(SHIP)) == [
        {
            "kind": "Pipeline",
            "name": "ship",
            "description": "Builds and ships.",
            "params": [
                {"name": "version", "type": "string", "description": "", "default": "2"},
                {"name": "where", "type": "array", "description": "", "default": None},
            ],
            "tasks": 4,
        }
    ]
