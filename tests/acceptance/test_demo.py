"""`pilothouse demo --once`, as a user runs it: the verdict is the planted one, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pilothouse.demo.planted import PLANTED

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(240)]
ANY_PORT = "127.0.0.1:0"


@dataclass(frozen=True)
class Shown:
    """What the demo printed, and its exit code."""

    verdict: str
    progress: str
    code: int


def demo(scratch: Path, scenario: str) -> Shown:
    """Runs the demo on free ports; checks that no process and no file is left."""
    ports = ["--http", ANY_PORT, "--otlp-grpc", ANY_PORT, "--otlp-http", ANY_PORT]
    command = [sys.executable, "-m", "pilothouse", "demo", "--once", "--scenario", scenario, *ports]
    environment = os.environ | {"TMPDIR": str(scratch), "COLUMNS": "160"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    left = subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True).stdout
    assert f"TMPDIR={scratch}" not in left
    assert list(scratch.iterdir()) == []
    return Shown(done.stdout, done.stderr, done.returncode)


def test_a_planted_regression_is_found_in_every_signal(tmp_path: Path) -> None:
    shown = demo(tmp_path, "regression")
    assert shown.code == 0, shown.progress + shown.verdict
    said = " ".join(shown.verdict.split())
    assert "worse" in said
    for text, what in PLANTED.values():
        assert text in said, what
    assert "/releases/checkout/2.0.0" in said


def test_the_same_code_again_is_no_worse(tmp_path: Path) -> None:
    shown = demo(tmp_path, "good")
    assert shown.code == 0, shown.progress + shown.verdict
    assert "/releases/checkout/2.0.0" in " ".join(shown.verdict.split())
