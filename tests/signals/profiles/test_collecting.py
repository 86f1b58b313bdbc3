"""`pilothouse collect profile` with the real py-spy and, where it is installed, the real perf."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner, Result

from pilothouse.cli import collect
from pilothouse.signals.collecting import profiling
from tests.signals.profiles.serving import House

BUSY = [sys.executable, "-m", "tests.signals.profiles.busy"]


def run(house: House, *words: str) -> Result:
    return CliRunner().invoke(collect.app, ["profile", "--server", house.address, *words])


def test_a_command_by_py_spy(house: House) -> None:
    words = (
        "--service",
        "spied",
        "--version",
        "1.2.3",
        "--label",
        "k8s.pod.name=p",
        "--period",
        "1",
        "--duration",
        "1",
    )
    result = run(house, *words, "--period", "1", "--duration", "1", "--", *BUSY, "4")
    assert "with py-spy" in result.output, result.output
    assert "sent 1 profiles" in result.output
    house.wait_for("spied", "cpu")
    top = house.get("/api/profiles/top", selector='service_name="spied",service_version="1.2.3"')
    found = {one["function"]: one for one in top["functions"]}
    assert found["outer_work"]["total"] > 0
    assert 0 < top["total"] <= 2_000_000_000


def test_a_process_says_who_it_is(house: House) -> None:
    said = {"OTEL_SERVICE_NAME": "itself", "OTEL_RESOURCE_ATTRIBUTES": "service.version=7"}
    with subprocess.Popen([*BUSY, "200"], env={**os.environ, **said}, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        result = run(house, "--pid", str(process.pid), "--period", "1", "--duration", "1")
        process.kill()
    assert result.exit_code == 0, result.output
    house.wait_for("itself", "cpu")
    assert house.get("/api/profiles/top", selector='service_name="itself",service_version="7"')["total"] > 0


@pytest.mark.skipif(not shutil.which("perf"), reason="perf is not installed")
def test_anything_by_perf(house: House) -> None:
    probe = subprocess.run(["perf", "record", "-o", os.devnull, "--", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("perf may not record here")
    shell = "i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done"
    result = run(house, "--service", "shelled", "--period", "1", "--duration", "1", "--", "sh", "-c", shell)
    assert "with perf" in result.output, result.output
    house.wait_for("shelled", "cpu")
    assert house.get("/api/profiles/top", service="shelled")["total"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say either --pid PID, or a command"),
        (("--pid", "1", "--", "x"), "say either --pid PID, or a command"),
        (("--pid", "4194999"), "there is no process 4194999"),
        (("--with", "magic", "--pid", "1"), "'magic' is not one of auto, py-spy, perf"),
        (("--label", "nothing", "--pid", "1"), "'nothing' is not NAME=VALUE"),
        (("--", "/no/such/program"), "/no/such/program: No such file or directory"),
    ],
)
def test_errors_say_what_to_do(house: House, words: tuple[str, ...], said: str) -> None:
    result = run(house, *words)
    assert result.exit_code == 3
    assert said in result.output


def test_tools_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "_py_spy", lambda: "")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(profiling.ProfilingError, match=r"pip install 'pilothouse\[collect\]'"):
        profiling.tool_for(os.getpid(), "auto")
    with pytest.raises(profiling.ProfilingError, match="perf is not installed"):
        profiling.tool_for(os.getpid(), "perf")
