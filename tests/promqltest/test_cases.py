"""Our own scripts pass, and the runner says what does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.promqltest.running import run

_CASES = sorted((Path(__file__).parent / "cases").glob("*.test"))


@pytest.mark.parametrize("file", _CASES, ids=lambda file: file.stem)
def test_all_of_a_script_passes(file: Path) -> None:
    results = list(run(file.read_text()))
    assert results
    assert not [result for result in results if result.failure]


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        ("eval instant at 0 x\n  x 2", "expected 2.0, got 1.0"),
        ("eval instant at 0 x\n  y 1", "unexpected series"),
        ("eval instant at 0 x\n  x 1\n  y 1", "not found"),
        ("eval instant at 0 x\n  expect fail", "expected an error"),
        ("eval instant at 0 x\n  expect warn\n  x 1", "expected a warning"),
        ("eval instant at 0 rate(x[5m] @ 120)\n  expect no_info\n  {} 0.1", "unexpected info"),
        ("eval instant at 0 x +", "error"),
        ("eval range from 0 to 2m step 1m x\n  x 1 2", "expected samples"),
        ("eval instant at 0 1\n  2", "expected 2.0, got 1.0"),
        ("evil instant at 0 1", "invalid command"),
        ("load 5q\n  x 1", "not a valid duration"),
        ("eval instant at 0 x +\n  expect fail regex: (", "cannot be read: "),
        ("eval range from 0 to 100000000m step 1s x", "steps are too many"),
        ("eval instant at 0 sort(x)\n  expect ordered\n  x", "cannot be run: "),
        ('load_with_nhcb 1m\n  y_bucket{le="Inf1"} 1', "cannot be run: "),
        ("eval instant at 0 'a'\n  expect string", "cannot be read: "),
    ],
)
def test_what_is_wrong_is_said(script: str, failure: str) -> None:
    results = list(run(f"load 1m\n  x 1 2 3\n\n{script}\n"))
    assert [failure in result.failure for result in results] == [True], results


def test_the_command_counts(tmp_path: Path) -> None:
    script = tmp_path / "two.test"
    script.write_text("eval instant at 0 1\n  1\n\neval instant at 0 1\n  2\n")
    command = [sys.executable, "-m", "tests.promqltest", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2])
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed"
    assert done.returncode == 1
    script.write_text("eval instant at 0 1\n  1\n")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2])
    assert (done.stdout, done.returncode) == ("1 passed, 0 failed\n", 0)
