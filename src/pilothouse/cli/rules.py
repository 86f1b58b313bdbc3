"""`pilothouse rules`: recording and alerting rules checked, tested, and as they stand in a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Output, Server, ask, print_lines, printable, wants_json

app = typer.Typer(no_args_is_help=True)

_FILES = typer.Argument(metavar="FILE...", help="Files, as promtool takes them.", exists=True, dir_okay=False)
_COLOURS = {"firing": "red", "pending": "yellow", "err": "red"}


@app.command("test", epilog="Example: pilothouse rules test tests/alerts_test.yml")
def test(files: Annotated[list[Path], _FILES]) -> None:
    """Run unit tests of rules, in promtool's format. Exits with 1 when one fails."""
    from pilothouse.signals.metrics.errors import ConfigurationError
    from pilothouse.signals.metrics.rules.unit_testing import run

    failed = False
    for file in files:
        typer.echo(f"Unit Testing:  {file}")
        try:
            faults = run(file)
        except ConfigurationError as error:
            faults = [str(error)]
        failed |= bool(faults)
        typer.secho("  FAILED:" if faults else "  SUCCESS", fg="red" if faults else "green")
        for fault in faults:
            typer.echo("    " + fault.replace("\n", "\n    "))
        typer.echo("")
    if failed:
        raise typer.Exit(1)


@app.command("check", epilog="Example: pilothouse rules check rules/*.yml")
def check(files: Annotated[list[Path], _FILES]) -> None:
    """Check rule files. Exits with 1 when one has a fault."""
    from pilothouse.signals.metrics.errors import ConfigurationError
    from pilothouse.signals.metrics.rules.files import read_rules

    failed = False
    for file in files:
        try:
            count = sum(len(group.rules) for group in read_rules(file).groups)
            typer.echo(f"{file}: {count} rule{'' if count == 1 else 's'} found")
        except ConfigurationError as error:
            failed = True
            typer.secho(str(error), fg="red", err=True)
    if failed:
        raise typer.Exit(1)


@app.command("list", epilog="Example: pilothouse rules list --output json")
def list_(output: Output = None, server: Server = DEFAULT_SERVER) -> None:
    """The rules of a running server, with their state."""
    as_json = wants_json(output)
    groups = ask(server, "/prometheus/api/v1/rules")["data"]["groups"]
    rows = [{"group": group["name"], "file": group["file"], **rule} for group in groups for rule in group["rules"]]
    if as_json:
        print_lines(rows)
    elif rows:
        _print(printable(rows))
    else:
        typer.echo("No rules. Start the server with --prometheus-config and name rule_files there.", err=True)


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("group", "rule", "state", "alerts", "health", "expression", box=None)
    for row in rows:
        state = row.get("state", "")
        table.add_row(
            Text(row["group"]),
            Text(row["name"]),
            Text(state, style=_COLOURS.get(state, "")),
            Text(str(len(row["alerts"])) if "alerts" in row else ""),
            Text(row["health"], style=_COLOURS.get(row["health"], "")),
            Text(row.get("lastError") or row["query"]),
        )
    Console().print(table)
