"""Every command in the docs is one that there is, and is run: each page from its first block to its last.

A block says what has to be there before it (`<!-- first: ... -->`, in the shell), or why it cannot be run here
(`<!-- not run: ... -->`). Of a console, lines with `$` are commands, and what they answer is not compared.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.main

from pilothouse.cli.program import program
from tests.docs.forked import command_on_path
from tests.running import RunningServer, start_server

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md"]
_BLOCK = re.compile(r"^( *)```(sh|console|bash)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_SAID = re.compile(r"<!-- (first|not run): ((?:(?!-->).)*)-->\s*\Z", re.DOTALL)
_COMMAND = re.compile(r"(?:^|\$\(|\| |&& |\$ )\s*(pilothouse (?!is )[^\n|;&)]*)", re.MULTILINE)
_INLINE = re.compile(r"(?<!`)`(pilothouse [^`]+)`(?!`)")

# A server is there: what `up` is told is looked at by `config`. What follows until Ctrl-C gets it once it has said
# something. Some say by their code what they found. A reader waits two seconds for what was sent to be stored; a busy
# machine until it is.
_SHELL = """set -eu -o pipefail
stored() {
  until curl -fsS http://127.0.0.1:4000/api/status | grep -Eq '"journal_bytes":\\{("[a-z_]+":0,?)+\\}'
  do sleep 0.2; done
}
trap "trap '' TERM; kill -TERM 0; wait" EXIT
said() { until test -s "$1"; do sleep 0.1; done; }
shown() {
  # The N-th piece of YAML that a page shows.
  awk -v n="$1" '/^```/ {inside = !inside; if (inside) k += yaml = /yaml/; next} inside && yaml && k == n' "${2:-$PAGE}"
}
environments() {
  # What runs where, of pages that change it: once for all of them, as one of them shows it.
  if pilothouse forge list | grep -q acme/deploy; then return; fi
  mkdir -p deploy/staging deploy/production deploy/charts/shop; cd deploy
  shown 1 "$ROOT/docs/how-to/promote-a-release.md" >environments.yaml
  printf 'images:\\n- name: registry.example.com/shop\\n  newTag: v1.3.0\\n' >staging/kustomization.yaml
  printf 'image: {tag: v1.3.0}\\n' >production/values.yaml
  printf 'apiVersion: v2\\nname: shop\\nversion: 0.1.0\\n' >charts/shop/Chart.yaml
  git init -qb main .; git add .; git commit -qm Begin; pilothouse forge import . acme/deploy; cd ..
}
follow() {
  # What it follows may have ended already.
  command pilothouse "$@" >followed.out & said followed.out; kill -INT $! 2>/dev/null || true; wait $! || test $? = 130
}
pilothouse() {
  case "$1 ${2:-}" in
    "up "*) shift; command pilothouse config --output json "$@" >up.json ;;
    *) case " $* " in
      *" -f "*) follow "$@" ;;
      " compare "* | " check "* | " why "* | " delivery why "* | " env drift "*)
        command pilothouse "$@" || test $? -le 2 ;;
      *) command pilothouse "$@" ;;
    esac ;;
  esac
}
"""


@dataclass(frozen=True)
class Block:
    """A block of commands, with what is said before it: what to do first, or why it is not run."""

    text: str
    first: str = ""
    not_run: str = ""

    @property
    def script(self) -> str:
        return f"{self.first}\n{self.text}"


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in _BLOCK.finditer(text):
        indent, kind, lines = found.groups()
        lines = re.sub(f"^{indent}", "", lines, flags=re.MULTILINE)
        said = _SAID.search(text, 0, found.start())
        about = {said[1].replace(" ", "_"): said[2].strip()} if said else {}
        yield Block(_typed(lines) if kind == "console" else lines, **about)


def _typed(console: str) -> str:
    """What a person typed, of what a console shows."""
    lines = console.replace("\\\n", "\\\0").splitlines()
    return "\n".join(line[2:].replace("\0", "\n") for line in lines if line.startswith("$ "))


def _commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        name = str(page.relative_to(ROOT))
        for block in _blocks(page):
            for line in _COMMAND.findall(block.script.replace("\\\n", " ")):
                yield name, line.partition(" #")[0].partition(" <")[0].strip()
        for line in _INLINE.findall(page.read_text()):
            yield name, " ".join(line.split())


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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Nothing but what is sent here; what runs where is in a repository that a page makes."""
    running = start_server(tmp_path_factory.mktemp("server"), PILOTHOUSE_ENVIRONMENTS="acme/deploy:environments.yaml")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with command_on_path(tmp_path_factory.mktemp("programs")) as directory:
        yield directory


def _run() -> list[str]:
    return [str(page.relative_to(ROOT)) for page in PAGES if any(not one.not_run for one in _blocks(page))]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", _run())
def test_a_page_runs(page: str, server: RunningServer, programs: Path, tmp_path: Path) -> None:
    script = "\n".join((_SHELL, *(one.script for one in _blocks(ROOT / page) if not one.not_run)))
    script = script.replace("\nsleep 2\n", "\nstored\n")
    for there, here in (
        ("127.0.0.1:4000", server.http), ("localhost:4000", server.http), ("127.0.0.1:4318", server.otlp)
    ):  # fmt: skip
        script = script.replace(there, here.removeprefix("http://"))
    environment = _environment(server, programs, tmp_path) | {"PAGE": str(ROOT / page)}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280,
        start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def _environment(server: RunningServer, programs: Path, home: Path) -> dict[str, str]:
    people = {f"GIT_{who}_{what}": "ann" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return os.environ | people | {
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home),
        "PILOTHOUSE_SERVER": server.http, "PILOTHOUSE_DATA": str(server.log.parent / "data"), "ROOT": str(ROOT),
        "PILOTHOUSE_HTTP": server.http.removeprefix("http://"),
        "PILOTHOUSE_OTLP_HTTP": server.otlp.removeprefix("http://"), "PILOTHOUSE_OTLP_GRPC": server.grpc,
        "GIT_TERMINAL_PROMPT": "0",
    }  # fmt: skip


def test_the_site_is_built_and_asks_nobody_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    front = (tmp_path / "site" / "index.html").read_text()
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', front)
    assert not [one for one in loaded if "canonical" not in one], loaded
