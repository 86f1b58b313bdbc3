"""The sandbox: what a step must not see or do."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.executors import namespace
from pilothouse.delivery.pipelines.executors.launching import Limits, Started
from pilothouse.delivery.pipelines.executors.standing import Standing, take
from tests.delivery.pipelines.running import run_yaml, task

pytestmark = pytest.mark.skipif(namespace.bubblewrap() is None, reason="bubblewrap cannot make namespaces here")


def sandboxed(text: str, tmp_path: Path, **options: object) -> object:
    from pilothouse.delivery.pipelines.executors.sandbox import SandboxLauncher

    return run_yaml(text, tmp_path, launcher=SandboxLauncher(), **options)  # type: ignore[arg-type]


def test_steps_find_what_the_yaml_expects_and_nothing_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret-of-the-host"
    secret.write_text("x")
    happened = sandboxed(
        task(
            f"""
- name: a
  image: bash
  script: |
    echo "uid $(id -u) in $PWD, home $HOME"
    touch /usr/x 2>/dev/null && echo wrote system
    ls {tmp_path} 2>/dev/null && echo saw the host
    cat /etc/shadow 2>/dev/null && echo saw passwords
    test -d {Path.home()}/.ssh && echo saw keys
    ps ax 2>/dev/null | wc -l
    (echo > /dev/tcp/127.0.0.1/22) 2>/dev/null && echo network
    ls /sys/class/net 2>/dev/null | grep -v '^lo$' || true
    echo fine > /tmp/own; printf ok > $(results.r.path); echo shared > /workspace/f
- {{name: b, image: bash, script: "cat /workspace/f; test -e /tmp/own && echo saw tmp; env | grep -c ^PILOTHOUSE_DATA || true"}}
""",
            "results: [{name: r}]",
        ),
        tmp_path,
    )
    output = happened.output()  # type: ignore[attr-defined]
    assert happened.reason == "Succeeded", output  # type: ignore[attr-defined]
    assert output.startswith("uid 0 in /workspace, home /tekton/home\n")
    assert not any(word in output for word in ("wrote", "saw", "network", "eth", "secret-of")), output
    assert happened.results == {"r": "ok"}  # type: ignore[attr-defined]
    assert happened.run.status["steps"][0]["imageID"] == "sandbox://bash"  # type: ignore[attr-defined]
    assert happened.run.annotations["pilothouse.dev/executor"] == "sandbox"  # type: ignore[attr-defined]


def test_secrets_of_the_environment_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    for happened in (
        sandboxed(task("- {image: bash, script: env}"), tmp_path / "a"),
        run_yaml(task("- {image: bash, script: env}"), tmp_path / "b"),
    ):
        assert "hunter2" not in happened.output()  # type: ignore[attr-defined]


def test_a_fork_bomb_is_bounded(tmp_path: Path) -> None:
    from pilothouse.delivery.pipelines.executors.limiting import _base

    if os.geteuid() == 0 and _base("pids") is None:
        pytest.skip("no control group for processes can be made here, and root has no other limit")
    happened = sandboxed(
        task("- {image: bash, timeout: 3s, script: 'bomb() { bomb | bomb & }; bomb 2>/dev/null; sleep 1; exit 0'}"),
        tmp_path,
        grace=0.2,
    )
    assert happened.run.condition.done  # type: ignore[attr-defined]
    left = [entry for entry in os.scandir("/proc") if entry.name.isdigit()]
    assert len(left) < 2000


def test_a_shell_that_stands_ready_becomes_the_command_within_its_limits() -> None:
    limits = Limits(processes=20)
    said: list[bytes] = []

    async def run() -> int:
        one = Standing(limits)
        if not one.limited.places:
            one.dismiss()
            pytest.skip("no control group can be made here")
        with one.limited:
            deadline = time.monotonic() + 60
            while not one.is_ready():
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
            command = ("sh", "-c", 'cat /proc/self/cgroup; echo "$WORD" "$1"; exit 7', "sh", "two\nlines")
            child = one.run(Started(command, {"WORD": "it's", "PATH": os.environ["PATH"]}, None, True), said.append)
            return (await child.wait()).code

    assert asyncio.run(run()) == 7
    output = b"".join(said).decode()
    assert f"pilothouse-standing-{os.getpid()}-" in output
    assert output.endswith("it's two\nlines\n")
    assert take(Limits(processes=20, memory=1 << 20)) is None


def test_processes_end_with_the_step(tmp_path: Path) -> None:
    mark = f"sleep {31337 + os.getpid()}"
    sandboxed(task(f"- {{image: bash, script: 'setsid {mark} & echo started'}}"), tmp_path)
    running = b" ".join(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    assert mark.replace(" ", "\0").encode() not in running


def test_without_bubblewrap_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    from pilothouse.delivery.pipelines.executors.sandbox import SandboxLauncher

    monkeypatch.setattr(namespace, "bubblewrap", lambda: None)
    with pytest.raises(ResolveError, match="install bubblewrap"):
        SandboxLauncher()
