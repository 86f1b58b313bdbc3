"""Writes docs/reference/command-line.md from the commands themselves: `python docs/make_command_line.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer.main

from pilothouse.cli.program import program

HEAD = """# Command line

Every command has `--help` with an example. Commands that ask take `--server URL` (or `PILOTHOUSE_SERVER`), answer a
table with colours on a terminal and JSON lines when piped, and end with exit code 3 and one sentence when they cannot.
Shell completion: `pilothouse --install-completion`.

"""


def main() -> None:
    root: Any = typer.main.get_command(program())
    parts = [HEAD]
    for name, command in root.commands.items():
        for words, one in getattr(command, "commands", {"": command}).items():
            parts.append(_section(f"pilothouse {name} {words}".strip(), one))
            for verb, below in getattr(one, "commands", {}).items():
                parts.append(_section(f"pilothouse {name} {words} {verb}", below))
    (Path(__file__).parent / "reference" / "command-line.md").write_text("\n".join(parts))


def _section(name: str, command: Any) -> str:
    lines = [f"## `{name}`", "", " ".join((command.help or "").split("\n\n")[0].split()), ""]
    if rows := [_row(option) for option in command.params if option.name != "help"]:
        lines += ["| option | meaning |", "|---|---|", *rows, ""]
    if command.epilog:
        lines += [" ".join(command.epilog.split()), ""]
    return "\n".join(lines)


def _row(option: Any) -> str:
    words = getattr(option, "help", "") or ""
    if option.param_type_name == "argument":
        return f"| `{option.name.upper()}` | {words} |"
    flags = ", ".join(f"`{flag}`" for flag in (*option.opts, *option.secondary_opts))
    return f"| {flags} | {words} |".replace("|prod", "\\|prod")


if __name__ == "__main__":
    main()
