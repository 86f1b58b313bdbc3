"""All cases pass, on the engine and on the slow path; and the runner finds what does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.engine import Engine
from tests.logqltest.reading import CaseError, read
from tests.logqltest.running import Runner
from tests.thorough import THOROUGH

CASES = Path(__file__).parent / "cases"
FILES = sorted(CASES.glob("*.logqltest"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_cases_pass(path: Path, engine: Engine) -> None:
    """Each on the engine; on the slow path every third of those that have one, and all in a thorough run."""
    runner = Runner(engine, 1 if THOROUGH else 3)
    outcomes = [runner.run(case) for case in read(path)]
    assert not [f"{path.name}:{one.case.number}: {one.reason}" for one in outcomes if one.reason]


def test_there_are_four_hundred_and_each_names_its_source() -> None:
    cases = [case for path in FILES for case in read(path)]
    assert len(cases) >= 400
    assert all(case.source for case in cases)


def test_the_runner_says_what_fails_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "mine.logqltest"
    path.write_text(
        'load\n    {a="b"}\n    1s one\n    2s `two`\n\neval {a="b"}\n    {a="b"} "one"\n    {a="b"} "two"\n\n'
        'eval at 5s sum(count_over_time({a="b"}[1m]))\n    {} 3\n\neval fail {a="b"\n    msg: no such message\n\n'
        'eval {a="b"}\n    |= "one"\n'
    )
    ran = subprocess.run([sys.executable, "-m", "tests.logqltest", str(path)], capture_output=True, text=True)
    assert ran.stdout.strip().endswith("1 passed, 3 failed")
    assert f"{path}:10:" in ran.stdout
    assert "is neither labels with a line in quotes nor with numbers" in ran.stdout
    assert ran.returncode == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "expected clear, load or eval"),
        ("load\n    {a=b}\n", "labels are not closed"),
        ("    x", "nothing"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "wrong.logqltest"
    path.write_text(text)
    with pytest.raises(CaseError, match=says):
        read(path)
