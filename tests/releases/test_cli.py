"""`pilothouse compare` and `pilothouse releases`, as a user runs them against a server."""

from __future__ import annotations

import json
import os
from tempfile import TemporaryFile
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from pilothouse.cli.compare import register
from pilothouse.cli.releases import app as releases_app
from pilothouse.signals.timerange import to_rfc3339
from tests.forking import fork
from tests.releases.conftest import CANARY

RANGE = ["--start", to_rfc3339(CANARY.start), "--end", to_rfc3339(CANARY.end)]


def run(address: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr of `pilothouse compare`."""
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["compare", *arguments, "--server", address], env={"COLUMNS": "160"})
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("candidate", "code", "word"), [("2.0.0", 1, "WORSE"), ("2.0.1", 0, "NO WORSE"), ("3.0.0", 2, "CANNOT TELL")]
)
def test_exit_codes_say_the_verdict(address: str, candidate: str, code: int, word: str) -> None:
    found, out, _ = run(address, "checkout", "1.0.0", candidate, *RANGE)
    assert found == code, out
    assert word in out


@pytest.mark.parametrize("output", ["text", "json"])
def test_who_stops_reading_changes_no_verdict(address: str, output: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with TemporaryFile() as said:
        asked = ["compare", "checkout", "1.0.0", "2.0.1", *RANGE, "--output", output, "--server", address]
        process = fork(asked, said, dict(os.environ), writing)
        os.close(writing)
        assert process.wait(60) == 0
        said.seek(0)
        assert said.read() == b""


def test_json_and_markdown(address: str) -> None:
    code, out, _ = run(address, "checkout", "1.0.0", "2.0.0", *RANGE, "--output", "json")
    assert code == 1
    assert json.loads(out)["verdict"] == "worse"
    code, out, _ = run(address, "checkout", "1.0.0", "2.0.0", *RANGE, "-o", "markdown")
    assert code == 1
    assert out.startswith("### Pilothouse: checkout 2.0.0 against 1.0.0")


def test_a_part_of_the_service(address: str) -> None:
    code, _, err = run(address, "checkout", "1.0.0", "2.0.1", *RANGE, "--where", 'region="us"')
    assert code == 3
    assert "nothing that matches the selector" in err


def test_errors_are_one_sentence_and_exit_3(address: str) -> None:
    code, _, err = run(address, "checkout", "1.0.0", "9", *RANGE)
    assert (code, err.count("\n")) == (3, 1)
    assert err.startswith("pilothouse: checkout has no version '9'; known are ")
    code, _, err = run(address, "checkout", "1.0.0", "1.0.0", *RANGE)
    assert (code, err) == (3, "pilothouse: candidate: 1.0.0 cannot be compared with itself\n")
    code, _, err = run(address, "checkout", "1.0.0", "2.0.0", "--output", "xml")
    assert code == 3
    assert "'xml' is not text, json, markdown or junit" in err
    code, _, err = run("http://127.0.0.1:9", "checkout", "1.0.0", "2.0.0")
    assert code == 3
    assert "pilothouse up" in err


def test_help_has_examples(address: str) -> None:
    result = run(address, "--help")
    assert "pilothouse compare checkout 1.0.0 2.0.0 --since 30m" in " ".join(result[1].split())
    assert "cannot tell" in result[1]


def test_releases_list(address: str) -> None:
    runner = CliRunner()
    listed = runner.invoke(releases_app, ["list", "checkout", "--server", address, "--output", "json"])
    assert listed.exit_code == 0
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert rows[0]["version"] == "3.0.0"
    table = runner.invoke(releases_app, ["list", "--server", address, "--output", "table"], env={"COLUMNS": "200"})
    assert "checkout" in table.stdout
    assert "first seen" in table.stdout
    narrow = runner.invoke(
        releases_app, ["list", "checkout", "--server", address, "-o", "table"], env={"COLUMNS": "40"}
    )
    assert "3.0.0" in narrow.stdout
    assert "…" not in narrow.stdout


def test_a_release_is_marked_and_shown(address: str) -> None:
    runner = CliRunner()
    made = runner.invoke(
        releases_app, ["mark", "checkout", "2.0.0", "--note", "new prices", "--at", "5m", "--server", address]
    )
    assert (made.exit_code, made.stdout.startswith("marked checkout 2.0.0 (release) at ")) == (0, True)
    shown = runner.invoke(releases_app, ["show", "checkout", "2.0.0", "--server", address, "-o", "table"])
    assert "new prices" in shown.stdout
    wrong = runner.invoke(releases_app, ["show", "checkout", "9", "--server", address])
    assert wrong.exit_code == 3
    assert "checkout has no version '9'; known are" in wrong.stderr


def test_junit_and_why(address: str) -> None:
    code, out, _ = run(address, "checkout", "1.0.0", "2.0.0", *RANGE, "-o", "junit")
    suite = ElementTree.fromstring(out)
    assert (code, suite.attrib["tests"], suite.attrib["failures"]) == (1, "4", "4")
    assert {case.attrib["name"] for case in suite.iter("testcase")} == {"metrics", "traces", "logs", "profiles"}
    code, out, _ = run(address, "checkout", "1.0.0", "3.0.0", *RANGE, "-o", "junit")
    assert (code, ElementTree.fromstring(out).attrib["errors"]) == (2, "1")
    app = typer.Typer()
    register(app)
    asked = ["why", "checkout", "--at", RANGE[1], "--around", "20s", "--server", address]
    said = CliRunner().invoke(app, asked, env={"COLUMNS": "160"})
    assert said.exit_code in (0, 1, 2), said.output
    assert "checkout after against before" in said.stdout
