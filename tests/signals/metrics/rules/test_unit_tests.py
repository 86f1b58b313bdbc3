"""`pilothouse rules test` says what promtool says of the same files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilothouse.cli.program import program

_HERE = Path(__file__).parent
_PROMTOOL = shutil.which("promtool")


def _ours(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(program("rules"), ["rules", *arguments])
    return found.exit_code, found.output


@pytest.mark.parametrize(("name", "code"), [("good_test.yml", 0), ("bad_test.yml", 1)])
def test_as_promtool(name: str, code: int) -> None:
    found, said = _ours("test", str(_HERE / name))
    assert found == code, said
    assert ("SUCCESS" in said) == (code == 0)
    if _PROMTOOL:
        theirs = subprocess.run([_PROMTOOL, "test", "rules", _HERE / name], capture_output=True, text=True, check=False)
        assert theirs.returncode == code, theirs.stdout + theirs.stderr


def test_what_failed_is_told() -> None:
    _, said = _ours("test", str(_HERE / "bad_test.yml"))
    assert "alertname: InstanceDown, time: 420s" in said
    assert "expr: 'up', time: 60s" in said
    assert 'got: {__name__="up", instance="a:1", job="web"} 0' in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("groups: [{name: a, rules: [{record: x, expr: 'sum('}]}]", "groups.0.rules.0: could not parse expression"),
        ("groups: [{name: a, rules: [{expr: x}]}]", "one of 'record' or 'alert' must be set"),
        (
            "groups: [{name: a, rules: [{alert: x, expr: x, fro: 1m}]}]",
            "groups.0.rules.0.fro: there is no such setting",
        ),
        (
            "groups: [{name: a, rules: [{alert: x, expr: x, annotations: {s: '{{ $labels.x'}}]}]",
            "s: template: unclosed",
        ),
        ("groups: [{name: a}, {name: a}]", "is repeated in the same file"),
        ("groups: [", "while parsing"),
        ("- a", "not a rule file"),
    ],
)
def test_faults_of_files(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(text)
    code, told = _ours("check", str(file))
    assert code == 1
    assert said in " ".join(told.split())


def test_check_counts() -> None:
    assert _ours("check", str(_HERE / "rules.yml")) == (0, f"{_HERE / 'rules.yml'}: 5 rules found\n")
