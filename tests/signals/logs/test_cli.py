"""`pilothouse logs`: as a user calls it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import pytest

from tests.commands import Done, command
from tests.forking import Forked, fork
from tests.ports import free_port
from tests.running import RunningServer, start_server
from tests.signals.logs.test_loki_api import SECOND, push, wait_for


def run(*arguments: str) -> Done:
    return command("logs", *arguments)


@pytest.fixture(scope="module")
def filled(server: RunningServer) -> RunningServer:
    start = time.time_ns() - 60 * SECOND
    values = [[str(start + turn * SECOND), f"line {turn} status={200 + 100 * (turn % 4)}"] for turn in range(20)]
    push(server, [{"stream": {"service_name": "cli", "app": "c"}, "values": values}])
    wait_for(server, '{app="c"}', 20)
    return server


def test_logql_is_asked_and_answered_as_json_lines_when_piped(filled: RunningServer) -> None:
    ran = run('{app="c"} |= "status=500" | logfmt', "--server", filled.http, "-n", "3")
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [row["line"] for row in rows] == [f"line {turn} status=500" for turn in (11, 15, 19)]
    assert rows[0]["parsed"]["status"] == "500"


def test_inverted_counted_and_with_context(filled: RunningServer) -> None:
    asked = ["--server", filled.http, "--since", "10m"]
    assert run('{app="c"}', "--grep", "status=500", "-v", "-c", *asked).stdout == "15\n"
    assert run('{app="c"}', "--matches", "status=[45]00", "-c", *asked).stdout == "10\n"
    text = run('{app="c"}', "--grep", "line 7 ", "-C", "1", "-o", "table", "--label", "app", *asked).stdout
    assert [line.split(" c")[1].split(" status")[0] for line in text.splitlines()] == [
        "- line 6",
        ": line 7",
        "- line 8",
    ]


def test_patterns_and_price(filled: RunningServer) -> None:
    asked = ["--server", filled.http, "--since", "10m"]
    rows = [json.loads(line) for line in run('{app="c"}', "--patterns", *asked).stdout.splitlines()]
    assert [(row["pattern"], row["total"]) for row in rows] == [("line <_> status=<_>", 20)]
    assert json.loads(run('{app="c"}', "--price", *asked).stdout)["rows"] >= 20
    assert "MB to read" in run('{app="c"}', "--price", "-o", "table", *asked).stdout


def test_a_wrong_query_says_where(filled: RunningServer) -> None:
    ran = run('{app="c"} |= 5', "--server", filled.http)
    assert ran.returncode == 3
    assert "line 1, col 14" in ran.stderr
    numbers = run('sum by (app) (count_over_time({app="c"}[1m]))', "--server", filled.http)
    assert "ask /loki/api/v1/query_range" in numbers.stderr
    assert "goes with --patterns" in run('{app="c"}', "--new-in", "2", "--server", filled.http).stderr
    assert run("--grep", "x", "/no/such.log").stderr == "pilothouse: /no/such.log: there is no such file\n"
    for options in ([], ["-f"]):
        wrong = run('{app="c"}', "--server", "nonsense", *options)
        assert (wrong.returncode, wrong.stderr.count("\n")) == (3, 1)
        assert "nonsense is not an address" in wrong.stderr


def test_nothing_found_is_said_to_who_looks(filled: RunningServer) -> None:
    nothing = run('{app="typo"}', "--server", filled.http, "-o", "table")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "No line fits" in nothing.stderr
    assert run('{app="typo"}', "--server", filled.http).stderr == ""


@contextmanager
def following(app: str, server: str, stderr: IO[bytes]) -> Iterator[tuple[Forked, IO[bytes]]]:
    """`pilothouse logs --follow` in a process of its own, and what it writes."""
    ours, theirs = os.pipe()
    asked = ["logs", f'{{app="{app}"}}', "-f", "--since", "1h", "--server", server]
    process = fork(asked, stderr, dict(os.environ), theirs)
    os.close(theirs)
    with open(ours, "rb") as written:
        try:
            yield process, written
        finally:
            process.kill()


def test_lines_are_followed(filled: RunningServer) -> None:
    with TemporaryFile() as said, following("followed", filled.http, said) as (process, written):
        for turn in range(3):
            push(filled, [{"stream": {"app": "followed"}, "values": [[str(time.time_ns()), f"new {turn}"]]}])
            assert json.loads(written.readline())["line"] == f"new {turn}"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def test_following_goes_on_when_the_server_was_started_anew(tmp_path: Path) -> None:
    http = f"127.0.0.1:{free_port()}"
    server = start_server(tmp_path, "--http", http)
    with TemporaryFile() as said, following("lasting", server.http, said) as (process, written):
        try:
            push(server, [{"stream": {"app": "lasting"}, "values": [[str(time.time_ns()), "before"]]}])
            assert json.loads(written.readline())["line"] == "before"
            server.stop()
            server = start_server(tmp_path, "--http", http)
            push(server, [{"stream": {"app": "lasting"}, "values": [[str(time.time_ns()), "after"]]}])
            assert json.loads(written.readline())["line"] == "after"
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
            said.seek(0)
            assert said.read().count(b"the connection broke off") == 1
        finally:
            server.stop()


def test_plain_files_are_searched_like_grep(tmp_path: Path) -> None:
    path, other = tmp_path / "a.log", tmp_path / "b.log"
    path.write_bytes(b"one\nstatus=500 x\nthree\nfour\nSTATUS=500\nlast status=503")
    other.write_text("nothing\n")
    assert run("--grep", "status=5[0-9]{2}", str(path)).stdout == "status=500 x\nlast status=503\n"
    assert run("--grep", "(?i)status=500", "-c", str(path), str(other)).stdout == f"{path}:2\n{other}:0\n"
    assert run("--grep", "status", "-v", str(path)).stdout == "one\nthree\nfour\nSTATUS=500\n"
    assert run("--grep", "three", "-C", "1", str(path)).stdout == "status=500 x\nthree\nfour\n"
    assert run("--grep", "nowhere", str(path)).returncode == 1
    wrong = run("--grep", "(", str(path))
    assert wrong.returncode == 3
    assert wrong.stderr == "pilothouse: --grep: '(' is not a regular expression: missing ): (\n"


def test_what_is_new_in_a_release(server: RunningServer) -> None:
    start = time.time_ns() - 60 * SECOND
    said = {"1.0": ["order 5 accepted", "order 6 accepted"], "1.1": ["order 7 accepted", "retry 3 of stock"]}
    streams = [
        {
            "stream": {"service_name": "releases", "service_version": version},
            "values": [[str(start + turn * SECOND), line] for turn, line in enumerate(lines)],
        }
        for version, lines in said.items()
    ]
    push(server, streams)
    wait_for(server, '{service_name="releases"}', 4)
    asked = ['{service_name="releases"}', "--patterns", "--server", server.http, "--since", "10m"]
    rows = [json.loads(line) for line in run(*asked, "--new-in", "1.1").stdout.splitlines()]
    assert {(row["pattern"], row["total"], row["new"]) for row in rows} == {
        ("order <_> accepted", 1, False),
        ("retry <_> of stock", 1, True),
    }
    both = run(*asked, "--new-in", "1.1", "--new-since", "5m")
    assert both.returncode != 0
    assert "not both" in both.stderr
