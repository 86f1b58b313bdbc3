"""The command line within the test's own process: what a command says and ends with, without starting a Python.

Signals, terminals, pipes that break and the time to start need a process of their own.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from typer.testing import CliRunner

from pilothouse.cli.program import program


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
