"""State: kill -9 in the middle, nothing twice, resume, cancel from another process, groups, cache, full disks."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pilothouse.delivery.pipelines import Options, ProcessLauncher, StateError, choose, read_text
from pilothouse.delivery.pipelines.caching import Cache
from pilothouse.delivery.pipelines.service import Service
from pilothouse.delivery.pipelines.state.store import RunStore, open_store
from tests.commands import command
from tests.delivery.pipelines.running import pipeline, task
from tests.thorough import THOROUGH

# Another process opens the file itself.
in_sqlites_file = pytest.mark.skipif("config.getoption('--control') != 'sqlite'", reason="about a file of SQLite's")


def service(tmp_path: Path, store: RunStore, **options: object) -> Service:
    return Service(store, Options(tmp_path / "pipelines", ProcessLauncher(), grace=0.5, **options))  # type: ignore[arg-type]


def started(tmp_path: Path, text: str, *arguments: str) -> subprocess.Popen[bytes]:
    """`pilothouse run` in a process of its own."""
    (tmp_path / "ci.yaml").write_text(text)
    return subprocess.Popen(
        [sys.executable, "-m", "pilothouse", "run", str(tmp_path / "ci.yaml"), "--data", str(tmp_path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def until(path: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)


def killed_in_the_middle(tmp_path: Path, rest: str = "") -> None:
    """A run whose process gets SIGKILL while its second task runs."""
    text = pipeline(
        f"""
- name: first
  taskSpec:
    results: [{{name: r}}]
    steps: [{{image: bash, script: 'echo x >> {tmp_path}/first; printf kept > $(results.r.path)'}}]
- name: second
  runAfter: [first]
{rest}
  taskSpec: {{steps: [{{image: bash, script: 'echo x >> {tmp_path}/second; touch {tmp_path}/running; sleep 1.5; echo late >> {tmp_path}/late'}}]}}
- name: third
  params: [{{name: x, value: $(tasks.first.results.r)}}]
  runAfter: [second]
  taskSpec: {{params: [{{name: x}}], steps: [{{image: bash, script: 'echo $(params.x) >> {tmp_path}/third'}}]}}
"""
    )
    process = started(tmp_path, text)
    until(tmp_path / "running")
    process.send_signal(signal.SIGKILL)
    process.communicate()


def recovered(tmp_path: Path) -> str:
    store = open_store(tmp_path)
    try:
        asyncio.run(service(tmp_path, store).recover())
        found = store.find("run")
        assert found is not None
        return found.reason
    finally:
        store.close()


@in_sqlites_file
def test_a_killed_run_is_marked_and_nothing_runs_twice(tmp_path: Path) -> None:
    killed_in_the_middle(tmp_path)
    assert recovered(tmp_path) == "Interrupted"
    time.sleep(1.6)
    assert (tmp_path / "first").read_text() == "x\n"
    assert (tmp_path / "second").read_text() == "x\n"
    assert not (tmp_path / "late").exists(), "the step of the killed process went on"
    assert not (tmp_path / "third").exists()


@in_sqlites_file
def test_a_killed_run_goes_on_where_retries_allow_it(tmp_path: Path) -> None:
    killed_in_the_middle(tmp_path, "  retries: 1")
    assert recovered(tmp_path) == "Succeeded"
    assert (tmp_path / "first").read_text() == "x\n", "what had succeeded ran again"
    assert (tmp_path / "second").read_text() == "x\nx\n"
    assert (tmp_path / "third").read_text() == "kept\n"


def test_resume_keeps_what_succeeded(tmp_path: Path) -> None:
    text = pipeline(
        f"""
- name: once
  taskSpec:
    results: [{{name: r}}]
    steps: [{{image: bash, script: 'echo x >> {tmp_path}/once; printf 7 > $(results.r.path)'}}]
- name: flaky
  params: [{{name: x, value: $(tasks.once.results.r)}}]
  taskSpec: {{params: [{{name: x}}], steps: [{{image: bash, script: 'test -e {tmp_path}/mended; echo $(params.x) > {tmp_path}/out'}}]}}
"""
    )
    store = open_store(tmp_path)
    documents = read_text(text)

    async def go() -> tuple[str, str]:
        found = service(tmp_path, store)
        first = await found.run(choose(documents)[0], documents)
        (tmp_path / "mended").touch()
        second = await found.resume(first.name)
        return first.condition.reason, second.condition.reason

    assert asyncio.run(go()) == ("Failed", "Succeeded")
    assert (tmp_path / "once").read_text() == "x\n"
    assert (tmp_path / "out").read_text() == "7\n"
    store.close()


@in_sqlites_file
def test_cancel_from_another_process(tmp_path: Path) -> None:
    process = started(tmp_path, task(f"- {{image: bash, script: 'touch {tmp_path}/running; sleep 30'}}"))
    until(tmp_path / "running")
    done = command("pipeline", "cancel", "run", "--data", str(tmp_path))
    assert done.returncode == 0, done.stderr
    output = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 1
    assert "TaskRunCancelled" in output


def test_ctrl_c_runs_finally_and_says_so(tmp_path: Path) -> None:
    text = pipeline(
        f"- {{name: slow, taskSpec: {{steps: [{{image: bash, script: 'touch {tmp_path}/running; sleep 30'}}]}}}}",
        "finally: [{name: clean, taskSpec: {steps: [{image: bash, script: echo cleaned}]}}]",
    )
    process = started(tmp_path, text)
    until(tmp_path / "running")
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 1
    assert "cleaned" in output
    assert "Traceback" not in output


def test_groups_queue_and_supersede(tmp_path: Path) -> None:
    def text(name: str, how: str) -> list[object]:
        # What is to be ended lasts until it is, however busy the machine.
        lasts = 60 if (name, how) == ("a", "cancel-running") else 0.2
        noted = f"echo {name} >> {tmp_path}/order"
        body = task(f"- {{image: bash, script: '{noted}; sleep {lasts}; {noted}'}}").replace(
            "{name: run}",
            f'{{name: {name}, annotations: {{pilothouse.dev/concurrency-group: g-{how}, pilothouse.dev/concurrency: "{how}"}}}}',
        )
        return read_text(body)  # type: ignore[return-value]

    store = open_store(tmp_path)

    async def both(how: str) -> list[str]:
        found = service(tmp_path, store)
        one, two = text("a", how), text("b", how)
        first = asyncio.ensure_future(found.run(one[0], one))  # type: ignore[arg-type]
        await asyncio.to_thread(until, tmp_path / "order")
        second = asyncio.ensure_future(found.run(two[0], two))  # type: ignore[arg-type]
        return [run.condition.reason for run in await asyncio.gather(first, second)]

    assert asyncio.run(both("queue")) == ["Succeeded", "Succeeded"]
    assert (tmp_path / "order").read_text().split() == ["a", "a", "b", "b"]
    (tmp_path / "order").unlink()
    assert asyncio.run(both("cancel-running")) == ["TaskRunCancelled", "Succeeded"]
    assert (tmp_path / "order").read_text().split() == ["a", "b", "b"]
    store.close()


def test_cache_takes_results_of_the_same_inputs(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.txt").write_text("one")
    text = f"""
apiVersion: tekton.dev/v1
kind: Task
metadata: {{name: t, annotations: {{pilothouse.dev/cache: "true", pilothouse.dev/cache-inputs: "*.txt"}}}}
spec:
  workspaces: [{{name: s}}]
  results: [{{name: r}}]
  steps: [{{image: bash, script: 'echo x >> {tmp_path}/ran; cat $(workspaces.s.path)/a.txt > $(results.r.path)'}}]
"""
    documents = read_text(
        text
        + "---\n"
        + task("[]", "", "").split("spec:")[0]
        + "spec:\n  taskRef: {name: t}\n  workspaces: [{name: s, persistentVolumeClaim: {claimName: c}}]\n"
    )
    claim = tmp_path / "pipelines" / "claims" / "c"
    claim.mkdir(parents=True)
    (claim / "a.txt").write_text("one")
    store = open_store(tmp_path)

    async def run() -> object:
        found = service(tmp_path, store, cache=Cache(store))
        return (await found.run(choose(documents)[-1], documents)).results[0]["value"]

    assert [asyncio.run(run()), asyncio.run(run())] == ["one", "one"]
    assert (tmp_path / "ran").read_text() == "x\n"
    (claim / "a.txt").write_text("two")
    assert asyncio.run(run()) == "two"
    store.close()


_MANY = """
import asyncio, pathlib, sys
from pilothouse.delivery.pipelines import Options, ProcessLauncher, read_text
from pilothouse.delivery.pipelines.service import Service
from pilothouse.delivery.pipelines.state.store import open_store

where = pathlib.Path(sys.argv[1])
documents = read_text((where / "many.yaml").read_text())


async def go():
    service = Service(open_store(where), Options(where / "pipelines", ProcessLauncher()))
    await asyncio.gather(*(service.run(documents[0], documents) for _ in range(int(sys.argv[2]))))


asyncio.run(go())
"""


@in_sqlites_file
def test_many_runs_that_are_killed_are_all_taken_up_and_nothing_runs_twice(tmp_path: Path) -> None:
    many = 200 if THOROUGH else 60
    marks = tmp_path / "marks"
    marks.mkdir()
    # They take different times, so that some are over when others run and others wait.
    mark = f"sleep 0.$((RANDOM % 9)); echo x >> {marks}/$(context.pipelineRun.name)"
    (tmp_path / "many.yaml").write_text(
        pipeline(
            f"""
- {{name: a, taskSpec: {{steps: [{{image: bash, script: '{mark}-a'}}]}}}}
- {{name: b, runAfter: [a], taskSpec: {{steps: [{{image: bash, script: '{mark}-b'}}]}}}}
"""
        ).replace("{name: run}", "{generateName: many-}")
    )
    process = subprocess.Popen([sys.executable, "-c", _MANY, str(tmp_path), str(many)])
    deadline = time.monotonic() + 120
    while sum(1 for _ in marks.glob("*-b")) < many // 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.03)
    process.kill()
    process.wait()
    store = open_store(tmp_path)
    asyncio.run(service(tmp_path, store).recover())
    kept = store.runs(limit=500)
    assert len(kept) == many
    # What ran when it was killed is marked; nothing failed, neither for the others nor for the database.
    assert {one.reason for one in kept} <= {"Succeeded", "Interrupted"}
    assert {path.read_text() for path in marks.iterdir()} == {"x\n"}
    for one in kept:
        if one.reason == "Succeeded":
            assert {path.name for path in marks.glob(f"{one.name}-?")} == {f"{one.name}-a", f"{one.name}-b"}
    store.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount a small file system")
def test_a_full_disk_is_said_and_ends_the_run(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(small)], capture_output=True).returncode:
        pytest.skip("cannot mount here")
    try:
        process = started(
            tmp_path,
            task("- {image: bash, script: 'head -c 3000000 /dev/zero | base64; exit 0'}"),
            "--data",
            str(small),
            "--quiet",
        )
        output = process.communicate(timeout=60)[0].decode()
        assert "Traceback" not in output
        assert "No space left" in output or "disk is full" in output or "disk I/O" in output, output
    finally:
        subprocess.run(["umount", str(small)], check=True)


@in_sqlites_file
def test_a_database_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "control.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StateError, match="cannot be kept"):
        open_store(tmp_path)


def test_commands_tell_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "ci.yaml").write_text(
        task("- {name: s, image: bash, script: 'echo hello; printf v > $(results.r.path)'}", "results: [{name: r}]")
    )
    ran = command("run", str(tmp_path / "ci.yaml"), "--data", str(tmp_path), "--output", "json")
    assert ran.returncode == 0, ran.stderr
    shown = json.loads(ran.stdout.splitlines()[-1])
    assert shown["status"]["results"] == [{"name": "r", "type": "string", "value": "v"}]

    def told(*arguments: str) -> str:
        done = command("pipeline", *arguments, "--data", str(tmp_path))
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert json.loads(told("list"))["reason"] == "Succeeded"
    assert told("logs") == "[run : s] hello\n"
    assert "kind: TaskRun" in told("describe", "run", "--output", "yaml")
