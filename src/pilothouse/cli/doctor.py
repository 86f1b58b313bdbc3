"""`pilothouse doctor`: what is wrong with an installation, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.client import Output, fail, print_lines, wants_json

_STYLES = {"ok": ("green", "ok"), "warning": ("yellow", "warning"), "failed": ("bold red", "failed")}
_CONFIG = typer.Option("--config", metavar="FILE", help="TOML file.", show_default="pilothouse.toml, if there")
_DATA = typer.Option("--data", help="The data directory.", show_default="as `pilothouse up` has it")
_EPILOG = """Example: pilothouse doctor --data ./data

Exit codes: 0 nothing failed, 1 something did, 3 the configuration cannot be read."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", epilog=_EPILOG)(doctor)


def doctor(
    config: Annotated[Path | None, _CONFIG] = None,
    data: Annotated[Path | None, _DATA] = None,
    output: Output = None,
) -> None:
    """Look at configuration, disk, clock, ports, journal and server, and say what to do. Changes nothing."""
    from pilothouse.server.config import ConfigError, load
    from pilothouse.server.doctor import examine

    try:
        found = list(examine(load({"data": data}, config).config))
    except ConfigError as error:
        fail(str(error))
    if wants_json(output):
        print_lines([asdict(one) for one in found])
    else:
        from rich.console import Console
        from rich.text import Text

        console = Console()
        for one in found:
            style, word = _STYLES[one.state]
            console.print(Text(f"{word:>8}", style=style), Text(f"{one.check:<14}"), Text(one.said))
            if one.remedy:
                console.print(Text(f"{'':>8} {'':<14} → {one.remedy}", style="dim"))
    if any(one.state == "failed" for one in found):
        raise typer.Exit(1)
