"""`pilothouse demo --once`, as a user runs it: what becomes of each change is planted, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pilothouse.demo.loop.changes import CHANGES
from pilothouse.demo.planted import PLANTED
from pilothouse.mesh.envoy.binary import EnvoyMissingError, find

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(420)]
ANY_PORT = "127.0.0.1:0"


@dataclass(frozen=True)
class Shown:
    """What the demo printed, and its exit code."""

    verdict: str
    progress: str
    code: int


def demo(scratch: Path, story: str, scenario: str) -> Shown:
    """Runs the demo on free ports; checks that no process and no file is left."""
    ports = ["--http", ANY_PORT, "--otlp-grpc", ANY_PORT, "--otlp-http", ANY_PORT]
    what = ["--once", "--story", story, "--scenario", scenario]
    command = [sys.executable, "-m", "pilothouse", "demo", *what, *ports]
    environment = os.environ | {"TMPDIR": str(scratch), "COLUMNS": "160"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    left = subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True).stdout
    assert f"TMPDIR={scratch}" not in left
    assert list(scratch.iterdir()) == []
    return Shown(done.stdout, done.stderr, done.returncode)


def test_a_bad_change_is_rolled_back_and_a_good_one_goes_all_the_way(tmp_path: Path) -> None:
    """From a pull request on the built-in forge to the verdict in production, with real git and real Envoys."""
    try:
        find()
    except EnvoyMissingError as error:
        pytest.skip(str(error))
    shown = demo(tmp_path, "loop", "regression")
    assert shown.code == 0, shown.progress + shown.verdict
    said = " ".join(shown.verdict.split())
    assert "feat: take several coupons at once rolled back" in said
    assert "fix: look at each coupon once in production" in said
    assert any(text in said for _, text in CHANGES["regression"].told), said
    assert "/releases/checkout/1.1.0" in said


def test_two_versions_side_by_side(tmp_path: Path) -> None:
    """That a good version is found no worse is shown by the loop's second change."""
    shown = demo(tmp_path, "release", "regression")
    assert shown.code == 0, shown.progress + shown.verdict
    said = " ".join(shown.verdict.split())
    assert "/releases/checkout/2.0.0" in said
    for text, what in PLANTED.values():
        assert text in said, what
