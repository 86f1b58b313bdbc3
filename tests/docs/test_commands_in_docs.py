"""Every command in the docs is one that there is; those that are marked are run, in order, against a server."""

from __future__ import annotations

import functools
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from pilothouse.cli.program import program
from tests.running import RunningServer

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "SECURITY.md"]
_BLOCK = re.compile(r"^```(?:sh|console|bash)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_RUNNABLE = re.compile(r"^<!-- runnable -->\n```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?:^|\$\(|\| |&& |\$ )\s*(pilothouse (?!is )[^\n|;&)]*)", re.MULTILINE)


_WAIT = """stored() {
  until curl -fsS http://127.0.0.1:4000/api/status | grep -Eq '"journal_bytes":\\{("[a-z_]+":0,?)+\\}'
  do sleep 0.2; done
}"""


def _commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text()):
            for line in _COMMAND.findall(block.replace("\\\n", " ")):
                yield str(page.relative_to(ROOT)), line.partition(" #")[0].partition(" <")[0].strip()


def _words(line: str) -> list[str]:
    """The words of a command; what is in quotes may hold what ends a command elsewhere, and is cut off here."""
    lexer = shlex.shlex(line, posix=False, punctuation_chars=False)
    lexer.whitespace_split, lexer.quotes, lexer.commenters = True, "", ""
    return list(lexer)


@functools.cache
def _whole_command() -> Any:
    return typer.main.get_command(program())


@pytest.mark.parametrize(("page", "line"), sorted(set(_commands())))
def test_each_command_and_option_is_there(page: str, line: str) -> None:
    command, words = _whole_command(), _words(line)[1:]
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        if name.startswith("-"):
            break
        assert name in command.commands, f"{page}: {line}: there is no {name}"
        command = command.commands[name]
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
    for word in words:
        if re.match(r"--?[a-zA-Z]", word):
            assert word.partition("=")[0] in known, f"{page}: {line}: {word} is no option of it"


@pytest.fixture(scope="module")
def server(new_server: RunningServer) -> RunningServer:
    """Nothing but what is sent here."""
    return new_server


def _marked() -> list[str]:
    return [str(page.relative_to(ROOT)) for page in PAGES if _RUNNABLE.search(page.read_text())]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", _marked())
def test_what_is_marked_runs(page: str, server: RunningServer, tmp_path: Path) -> None:
    blocks = _RUNNABLE.findall((ROOT / page).read_text())
    # A reader waits two seconds for what was sent to be stored; a busy machine until it is.
    script = "\n".join(("set -eu -o pipefail", _WAIT, *blocks)).replace("\nsleep 2\n", "\nstored\n")
    for there, here in (("127.0.0.1:4000", server.http), ("127.0.0.1:4318", server.otlp)):
        script = script.replace(there, here.removeprefix("http://"))
    data = server.log.parent / "data"
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PILOTHOUSE_SERVER": server.http,
        "PILOTHOUSE_DATA": str(data), "HOME": str(tmp_path), "PILOTHOUSE_HTTP": server.http.removeprefix("http://"),
        "PILOTHOUSE_OTLP_HTTP": server.otlp.removeprefix("http://"), "PILOTHOUSE_OTLP_GRPC": server.grpc,
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_the_site_is_built_and_asks_nobody_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    front = (tmp_path / "site" / "index.html").read_text()
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', front)
    assert not [one for one in loaded if "canonical" not in one], loaded
