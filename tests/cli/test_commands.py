"""The command line: help with examples, quick, JSON lines when piped, tables on a terminal, errors in one sentence."""

from __future__ import annotations

import http.server
import json
import os
import pty
import re
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import typer.main

from pilothouse.cli.client import printable
from pilothouse.cli.program import program
from pilothouse.signals.credentials import certificates
from tests.acceptance import telemetry
from tests.commands import apart, command
from tests.forking import fork
from tests.running import RunningServer

_ROOT = typer.main.get_command(program())
VERBS = [
    *(name for name, command in _ROOT.commands.items() if not hasattr(command, "commands")),  # type: ignore[attr-defined]
    *(
        f"{name} {verb}"
        for name, command in _ROOT.commands.items()  # type: ignore[attr-defined]
        for verb in getattr(command, "commands", ())
    ),
]
NASTY = "bold [/bold] [red] \x1b[31mred\x1b[0m \x07 \u009b31m <b>"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Start Python and run a command with its output piped."""
    started = [sys.executable, "-m", "pilothouse", *arguments]
    return subprocess.run(started, capture_output=True, text=True, timeout=60, env=os.environ | {"NO_COLOR": "1"})


def on_terminal(*arguments: str) -> str:
    """What a command writes to a terminal of 200 columns."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "200", "TERM": "xterm-256color"}
    process = fork(arguments, theirs, environment, theirs)
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        written += part
    os.close(ours)
    assert process.wait(timeout=60) == 0, written.decode()
    return written.decode()


@pytest.fixture(scope="module")
def server(new_server: RunningServer) -> RunningServer:
    """Nothing but what is sent here."""
    return new_server


@pytest.fixture(scope="module")
def told(server: RunningServer) -> RunningServer:
    """A server that knows a log record and a span of `shop`, both with names that mean something to a terminal."""
    for kind, body in (
        ("logs", telemetry.logs("shop", ["first", NASTY])),
        ("traces", telemetry.spans("shop", [NASTY])),
    ):
        answer = httpx.post(f"{server.otlp}/v1/{kind}", content=body, headers=telemetry.PROTOBUF)
        assert answer.status_code == 200
        server.wait_for(f"/api/{kind}", kind, 1)
    return server


def test_a_terminal_without_unicode_is_no_reason_to_end(told: RunningServer) -> None:
    ascii_ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    asked = [sys.executable, "-m", "pilothouse", "logs", 'service_name="shop"', "--server", told.http]
    for output, escaped in (("table", "\\u241b"), ("json", "\\u009b")):
        done = subprocess.run([*asked, "-o", output], capture_output=True, timeout=60, env=os.environ | ascii_)
        assert (done.returncode, done.stderr) == (0, b"")
        assert escaped in done.stdout.decode("ascii")


def test_help_names_every_verb() -> None:
    done = run("--help")
    assert done.returncode == 0
    for verb in VERBS:
        assert re.search(rf"\b{verb.split()[0]}\b", done.stdout), verb


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_each_verb_has_an_example(verb: str) -> None:
    found = _ROOT
    for word in verb.split():
        found = found.commands[word]  # type: ignore[attr-defined]
    assert found.help
    assert "Example" in (found.epilog or "")
    assert f"pilothouse {verb.split()[0]}" in (found.epilog or "")
    for option in found.params:
        assert getattr(option, "help", None), f"{verb}: {option.name} says nothing"


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    took = []
    for _ in range(2):
        began = time.monotonic()
        assert run("--help").returncode == 0
        took.append(time.monotonic() - began)
    print(f"pilothouse --help: {min(took) * 1000:.0f} ms")
    # pydantic is missing here because typer itself loads it.
    heavy = {
        "chdb", "pyarrow", "numpy", "scipy", "grpc", "httpx", "starlette", "sqlalchemy", "opentelemetry", "uvicorn",
        "google.protobuf", "pandas",
    }  # fmt: skip
    program_ = (
        "import sys\nsys.argv = ['pilothouse', 'logs', '--help']\nfrom pilothouse.cli import main\n"
        "try: main()\nexcept SystemExit: pass\nprint('\\nloaded', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program_], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.rpartition("\nloaded ")[2].split())
    assert loaded >= {"typer"}
    assert loaded & heavy == set()


def test_the_version() -> None:
    assert re.fullmatch(r"pilothouse \d+\.\d+\.\d+\n", run("--version").stdout)


def test_nothing_said_shows_the_help_and_a_wrong_verb_is_named() -> None:
    done = apart()
    assert "Usage" in done.stdout + done.stderr
    done = apart("lgos")
    assert done.returncode == 2
    assert "lgos" in done.stderr


def test_piped_it_writes_json_lines(told: RunningServer) -> None:
    done = apart("logs", 'service_name="shop"', "--server", told.http)
    assert [json.loads(line)["body"] for line in done.stdout.splitlines()] == ["first", NASTY]
    assert done.stderr == ""
    assert json.loads(apart("traces", "--server", told.http).stdout)["root"] == NASTY
    assert apart("logs", "--count", "--server", told.http).stdout == "2\n"
    assert apart("logs", "--grep", "first", PILOTHOUSE_SERVER=told.http).stdout.count("\n") == 1


def test_a_table_can_be_asked_for_when_piped_and_json_on_a_terminal(told: RunningServer) -> None:
    assert not apart("logs", "-o", "table", "--server", told.http).stdout.startswith("{")
    assert json.loads(on_terminal("logs", "-o", "json", "-n", "1", "--server", told.http))


def test_on_a_terminal_it_writes_for_people_and_what_was_logged_stays_text(told: RunningServer) -> None:
    """A log line may hold rich's markup and a terminal's escape sequences: neither may mean anything."""
    trace = told.get("/api/traces")["traces"][0]["trace_id"]
    for arguments in (("logs",), ("traces",), ("traces", trace), ("metrics",)):
        written = on_terminal(*arguments, "--server", told.http)
        assert not written.startswith("{")
        assert "\x07" not in written
        assert "\u009b" not in written
        assert "\x1b[31mred" not in written
        if arguments != ("metrics",):
            assert "bold [/bold] [red] ␛[31mred␛[0m ␇" in _without_colours(written)
    assert "\x1b[" in on_terminal("logs", "--server", told.http), "on a terminal there are colours"


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_the_certificates_of_the_world_are_read_for_https_only() -> None:
    nobodys = certificates("http://127.0.0.1:4000")
    assert isinstance(nobodys, ssl.SSLContext)
    assert nobodys.verify_mode is ssl.CERT_REQUIRED
    assert nobodys.get_ca_certs() == []
    assert certificates("https://pilothouse.example.org").get_ca_certs()


def test_only_controls_are_made_visible() -> None:
    assert printable({"a\x1b": ["ünïcode 日本\n\t", 5, None, {"x": "\x00\x7f\x9b"}]}) == {
        "a␛": ["ünïcode 日本\n\t", 5, None, {"x": "␀\ufffd\ufffd"}]
    }


@pytest.mark.parametrize("arguments", [("logs",), ("metrics",), ("traces",), ("traces", "abc"), ("releases", "list")])
def test_without_a_server_it_says_how_to_start_one(arguments: tuple[str, ...]) -> None:
    done = command(*arguments, "--server", "http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "pilothouse: no Pilothouse answers at http://127.0.0.1:1; "
        "start one with `pilothouse up`, or say where with --server\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("logs", "--since", "soon"), 3, "since: 'soon' is not a duration"),
        (("logs", "{"), 3, "parse error"),
        (("logs", "--severity", "loud"), 3, "severity: 'loud'"),
        (("logs", "--output", "xml"), 3, "--output: 'xml' is not table or json"),
        (("logs", "--limit", "0"), 2, "--limit"),
        (("logs", "--nothing"), 2, "No such option"),
        (("traces", "zz"), 3, "trace_id: 'zz' is not a trace id"),
        (("traces", "../status?x=#y"), 3, "nothing is at"),
        (("traces", "ab" * 16), 3, "no span of trace"),
        (("traces", "--selector", "{"), 3, "selector: a brace is missing"),
        (("metrics", "--step", "x"), 3, "step: 'x' is not a duration"),
        (("metrics", "rate(up[5m])"), 3, "this is PromQL"),
        (("metrics", 'up{job="x"} > 1'), 3, "this is PromQL"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    told: RunningServer, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = command(*arguments, PILOTHOUSE_SERVER=told.http)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "server", ["127.0.0.1:4000", "http://", "http://[::1", "ftp://127.0.0.1", "http://127.0.0.1:99999"]
)
def test_what_is_not_an_address_is_said(server: str) -> None:
    done = command("logs", "--server", server)
    assert done.returncode == 3
    assert done.stderr.startswith("pilothouse: ")
    assert done.stderr.count("\n") == 1


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>something else</html>")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def something_else() -> Iterator[str]:
    """A web server that is no Pilothouse."""
    with http.server.HTTPServer(("127.0.0.1", 0), _Page) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()
        thread.join()


def test_another_web_server_is_not_taken_for_a_pilothouse(something_else: str) -> None:
    done = command("logs", "--server", something_else)
    assert (done.returncode, done.stderr) == (
        3,
        f"pilothouse: {something_else} answers, but not as a Pilothouse does\n",
    )


def test_a_reader_that_goes_away_ends_it_quietly(told: RunningServer) -> None:
    shell = f"{sys.executable} -m pilothouse logs --server {told.http} | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", shell], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{", "")


def test_shell_completion(tmp_path: Path) -> None:
    environment = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "HOME": str(tmp_path)}
    done = apart("--show-completion", "bash", **environment)
    assert done.returncode == 0
    assert "complete" in done.stdout
    offered = apart(_PILOTHOUSE_COMPLETE="complete_bash", COMP_WORDS="pilothouse tr", COMP_CWORD="1", **environment)
    assert "traces" in offered.stdout


def test_a_command_by_name_brings_no_other() -> None:
    """What the tables of modules and names say is what the modules register, so that none is looked for in vain."""
    for name in _ROOT.commands:  # type: ignore[attr-defined]
        alone = typer.main.get_command(program(name))
        assert name in alone.commands  # type: ignore[attr-defined]
        assert len(alone.commands) <= 2, f"{name} brings {list(alone.commands)}"  # type: ignore[attr-defined]
    assert typer.main.get_command(program("no such command")).commands.keys() == _ROOT.commands.keys()  # type: ignore[attr-defined]


def test_metrics_are_asked_by_a_name_as_prometheus_writes_it(told: RunningServer) -> None:
    def names(asked: str) -> set[str]:
        done = command("metrics", asked, PILOTHOUSE_SERVER=told.http)
        assert done.returncode == 0, done.stderr
        return {json.loads(line)["name"] for line in done.stdout.splitlines()}

    gauge = {"name": "queue.length", "gauge": {"dataPoints": [{"timeUnixNano": str(time.time_ns()), "asInt": "3"}]}}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [gauge]}]}]}
    assert httpx.post(f"{told.otlp}/v1/metrics", json=body).status_code == 200
    told.wait_for("/api/metrics", "series", 1, name="queue.length")
    assert names("queue.length") == {"queue.length"}
    assert names('queue.length{service_name="shop"}') == {"queue.length"}
    assert names("nobody_knows") == set()
