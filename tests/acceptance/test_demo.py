"""`pilothouse demo --once`, as a user runs it: what becomes of each change is planted, and nothing is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pilothouse.demo.loop.changes import CHANGES
from pilothouse.demo.planted import PLANTED
from pilothouse.mesh.envoy.binary import EnvoyMissingError, find
from tests.ui.conftest import CHROMIUM, Watch, chromium, new_visitor, watched, with_the_page_built
from tests.ui.walk import walk_the_loop

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(900)]
ANY_PORT = "127.0.0.1:0"


@dataclass(frozen=True)
class Shown:
    """What the demo printed, and its exit code."""

    verdict: str
    progress: str
    code: int


def demo(directory: Path, story: str, scenario: str, look: Callable[[str], None] | None = None) -> Shown:
    """Runs the demo on free ports; checks that no process and no file is left.

    `look` gets the address when all is told and the demo only serves; without it the demo ends by itself.
    """
    scratch, verdict, progress = directory / "scratch", directory / "verdict", directory / "progress"
    scratch.mkdir()
    ports = ["--http", ANY_PORT, "--otlp-grpc", ANY_PORT, "--otlp-http", ANY_PORT]
    what = ["--story", story, "--scenario", scenario, *([] if look else ["--once"])]
    command = [sys.executable, "-m", "pilothouse", "demo", *what, *ports]
    environment = os.environ | {"TMPDIR": str(scratch), "COLUMNS": "160"}
    with verdict.open("wb") as out, progress.open("wb") as err:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=err)
    try:
        if look:
            look(_served(process, progress))
            process.send_signal(signal.SIGINT)
        code = process.wait(700)
    finally:
        process.kill()
        process.wait()
    left = subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True).stdout
    assert f"TMPDIR={scratch}" not in left
    assert list(scratch.iterdir()) == []
    return Shown(verdict.read_text(), progress.read_text(), code)


def _served(process: subprocess.Popen[bytes], progress: Path) -> str:
    """The address of the demo, once it has told its tale."""
    deadline = time.monotonic() + 700
    while (found := re.search(r"Pilothouse goes on at (http://\S+),", progress.read_text())) is None:
        assert process.poll() is None, progress.read_text()
        assert time.monotonic() < deadline, progress.read_text()
        time.sleep(0.2)
    return found[1]


def _walk(address: str) -> None:
    """In a browser; without Chromium the demo's own words have to do."""
    if CHROMIUM is None:
        return
    with_the_page_built()
    with chromium() as browser, watched(new_visitor(browser).new_page(), Watch()) as page:
        walk_the_loop(page, address)


def test_a_bad_change_is_rolled_back_and_a_good_one_goes_all_the_way(tmp_path: Path) -> None:
    """From a pull request on the built-in forge to the verdict in production, with real git and real Envoys.

    Then a person looks at it in the page.
    """
    try:
        find()
    except EnvoyMissingError as error:
        pytest.skip(str(error))
    shown = demo(tmp_path, "loop", "regression", _walk)
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
