"""Steps in containers: what podman or docker is told. There is no engine here: `container_engine` stands in for one."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pilothouse.delivery.pipelines.executors import namespace
from pilothouse.delivery.pipelines.executors.containers import ContainerLauncher
from tests.delivery.pipelines import container_engine
from tests.delivery.pipelines.running import Happened, run_yaml, task

pytestmark = pytest.mark.skipif(namespace.bubblewrap() is None, reason="the stand-in needs bubblewrap")


class Engine:
    """The stand-in in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.program = directory / "podman"
        source = Path(container_engine.__file__).read_text()
        self.program.write_text(f"#!{sys.executable}\n{source}")
        self.program.chmod(0o755)

    def run(self, text: str, **options: Any) -> Happened:
        launcher = ContainerLauncher(str(self.program), network=options.pop("network", False))
        return run_yaml(text, self.directory / "data", launcher=launcher, **options)

    def calls(self, verb: str = "run") -> list[list[str]]:
        lines = (self.directory / "calls.jsonl").read_text().splitlines()
        return [found for line in lines if (found := json.loads(line)["arguments"])[0] == verb]

    def homes(self) -> set[str]:
        return {json.loads(line)["home"] for line in (self.directory / "calls.jsonl").read_text().splitlines()}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def test_steps_share_workspaces_and_write_results(engine: Engine) -> None:
    happened = engine.run(
        task(
            """
- {name: a, image: bash, script: 'echo kept > /workspace/file'}
- {name: b, image: bash, env: [{name: WORD, value: secret}], script: 'cat /workspace/file; echo $WORD | tee $(results.r.path)'}
- {name: c, image: bash, securityContext: {runAsUser: 1001}, command: [id], args: [-u]}
""",
            "results: [{name: r}]",
        )
    )
    assert (happened.reason, happened.output()) == ("Succeeded", "kept\nsecret\n1001\n")
    assert happened.results == {"r": "secret\n"}
    assert happened.run.status["steps"][0]["imageID"] == "bash"
    # Values of variables are in nobody's list of processes, and the client keeps its own home.
    assert not any("secret" in argument for call in engine.calls() for argument in call)
    assert engine.homes() == {os.environ["HOME"]}
    assert engine.calls("rm") == []


def test_an_image_brings_its_own_entrypoint_and_command(engine: Engine) -> None:
    happened = engine.run(
        task(
            "- {image: 'greeter:1'}\n- {image: 'greeter:1', args: [you]}\n- {image: 'greeter:1', command: [printf], args: [x]}"
        )
    )
    assert happened.output().split() == ["hello", "world", "hello", "you", "x"]


def test_limits_network_and_read_only_mounts_are_the_engines(engine: Engine) -> None:
    happened = engine.run(
        task(
            "- {image: bash, computeResources: {limits: {memory: 64Mi, cpu: 500m}}, script: 'touch $(workspaces.w.path)/x || echo kept'}",
            "workspaces: [{name: w, readOnly: true}]",
            "workspaces: [{name: w, emptyDir: {}}]",
        )
    )
    assert happened.output().endswith("kept\n")
    [call] = engine.calls()
    assert call[call.index("--memory") + 1] == str(64 * 2**20)
    assert call[call.index("--cpus") + 1] == "0.5"
    assert call[call.index("--network") + 1] == "none"
    assert any(part.endswith(":/workspace/w:ro") for part in call)


def test_an_image_that_cannot_be_had_says_so(engine: Engine) -> None:
    happened = engine.run(task("- {image: 'nobody/has:it', script: 'true'}"))
    assert happened.reason == "Failed"
    assert "nobody/has:it: image not known" in happened.output()


def test_a_container_that_outlives_its_client_is_removed(engine: Engine) -> None:
    mark = f"{31000 + os.getpid() % 1000}.25"
    happened = engine.run(
        task(f"- {{image: bash, timeout: 1s, script: 'trap \"\" TERM; while :; do sleep {mark}; done'}}"), grace=0.3
    )
    assert "exceeded the specified timeout" in happened.message
    assert [call[:2] for call in engine.calls("rm")] == [["rm", "--force"]]
    running = b" ".join(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    assert f"sleep\0{mark}".encode() not in running


def test_each_attempt_is_a_container_of_its_own(engine: Engine) -> None:
    happened = engine.run(task("- {name: s, image: bash, script: exit 1}", run="retries: 2"))
    names = [call[call.index("--name") + 1] for call in engine.calls()]
    assert happened.reason == "Failed"
    assert len(set(names)) == 3


def test_a_sidecar_is_asked_inside_its_container_and_removed(engine: Engine) -> None:
    happened = engine.run(
        task(
            "- {image: bash, volumeMounts: [{name: v, mountPath: /shared}], script: cat /shared/ready}",
            """
volumes: [{name: v, emptyDir: {}}]
sidecars:
- name: side
  image: bash
  volumeMounts: [{name: v, mountPath: /shared}]
  script: trap "" TERM; sleep 0.2; echo yes > /shared/ready; sleep 600
  readinessProbe: {exec: {command: [test, -s, /shared/ready]}}
""",
        ),
        grace=0.3,
    )
    assert (happened.reason, happened.output()) == ("Succeeded", "yes\n")
    assert {call[1] for call in engine.calls("exec")} == {call[2] for call in engine.calls("rm")}


def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from pilothouse.delivery.pipelines.errors import ResolveError

    monkeypatch.setattr("pilothouse.delivery.pipelines.executors.containers.engine", lambda: None)
    with pytest.raises(ResolveError, match="neither podman nor docker"):
        ContainerLauncher()
