"""`pilothouse slo`: what services promise, and how fast they spend what they may miss."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Output, Server, ask, fail, print_lines, printable, send, wants_json

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

_SHOWN = {300: "5m", 3600: "1h", 21_600: "6h", 259_200: "3d"}


@app.callback()
def slo() -> None:
    """What services promise, and how fast they spend what they may miss."""


@app.command("apply", epilog="Examples: pilothouse slo apply slo.yaml  |  pilothouse slo apply - < openslo.yaml")
def apply(
    file: Annotated[Path, typer.Argument(help="OpenSLO or the short form; - is stdin.", show_default=False)],
    server: Server = DEFAULT_SERVER,
) -> None:
    """Declare objectives; one of the same service and name is replaced."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: {error.strerror if isinstance(error, OSError) else 'is not text'}")
    for one in send(server, "/api/slos", {"slo": text})["slos"]:
        typer.echo(f"{one['service']}: {one['name']}: {one['words']}")


@app.command("list", epilog="Example: pilothouse slo list --service checkout")
def list_slos(
    service: Annotated[str | None, typer.Option("--service", help="Only of this service.")] = None,
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Objectives with their burn rates: 1 spends the budget exactly in its time."""
    as_json = wants_json(output)
    found = ask(server, "/api/slos", service=service)["slos"]
    if as_json:
        print_lines(found)
    elif not found:
        typer.echo("no objectives; declare some with `pilothouse slo apply FILE`", err=True)
    else:
        _table(printable(found))


@app.command("forget", epilog="Example: pilothouse slo forget checkout availability")
def forget(
    service: Annotated[str, typer.Argument(help="The service's name.", show_default=False)],
    name: Annotated[str, typer.Argument(help="The objective's name.", show_default=False)],
    server: Server = DEFAULT_SERVER,
) -> None:
    """Take an objective back."""
    send(server, "/api/slos", {"forget": {"service": service, "name": name}})
    typer.echo(f"forgot {name} of {service}")


def _table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("service", "objective", "promise", *_SHOWN.values(), "", box=None, header_style="dim")
    for one in found:
        rates = {burn["window_seconds"]: burn["burn_rate"] for burn in one["burn"]}
        cells = [Text("" if rates[window] is None else f"{rates[window]:.2g}") for window in _SHOWN]
        alert = Text(one["alert"] or "", style="bold red")
        table.add_row(Text(one["service"]), Text(one["name"]), Text(one["words"]), *cells, alert)
    Console().print(table)
