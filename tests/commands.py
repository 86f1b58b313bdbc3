"""The command line within the test's own process: what a command says and ends with, without starting a Python.

Signals, terminals, pipes that break and the time to start need a process of their own.
"""

from __future__ import annotations

import os
import tempfile
import traceback
from dataclasses import dataclass

from typer.testing import CliRunner

from pilothouse.cli.program import program
from tests.forking import fork


@dataclass(frozen=True)
class Done:
    """How a command ended and what it wrote, as `subprocess.run` tells it."""

    returncode: int
    stdout: str
    stderr: str


def command(*arguments: str, **environment: str) -> Done:
    """Run `pilothouse ARGUMENTS` here, its output piped. What it raises is shown as Python would show it."""
    result = CliRunner().invoke(program(arguments[0]), list(arguments), env={"NO_COLOR": "1"} | environment)
    stderr = result.stderr
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        stderr += "".join(traceback.format_exception(result.exception))
    return Done(result.exit_code, result.stdout, stderr)


def apart(*arguments: str, **environment: str) -> Done:
    """The same in a process of its own, which runs `pilothouse` from its beginning to its end."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = fork(arguments, stderr, os.environ | {"NO_COLOR": "1"} | environment, stdout)
        code = process.wait(120)
        written = []
        for file in (stdout, stderr):
            file.seek(0)
            written.append(file.read().decode())
    return Done(code, *written)
