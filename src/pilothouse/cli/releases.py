"""`pilothouse releases`: the releases that the telemetry names."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pilothouse.cli.client import DEFAULT_SERVER, End, Output, Server, Since, Start, ask, print_lines, wants_json

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

_STYLES = {"worse": "red", "no_worse": "green", "cannot_tell": "yellow"}


@app.callback()
def releases() -> None:
    """The releases that the telemetry names."""


@app.command("list", epilog="Examples: pilothouse releases list checkout  |  pilothouse releases list --since 1d")
def list_releases(
    service: Annotated[str | None, typer.Argument(help="Only of this service.", show_default=False)] = None,
    since: Since = None,
    start: Start = None,
    end: End = None,
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Releases, newest first, each with the version before it and its last verdict."""
    as_json = wants_json(output)
    found = ask(server, "/api/releases", service=service, since=since, start=start, end=end)["releases"]
    if as_json:
        print_lines(found)
    elif not found:
        typer.echo("no releases: nothing has sent telemetry with a service.version", err=True)
    else:
        _table(found)


def _table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("service", "version", "after", "first seen", "last seen", "instances", "signals", "verdict", box=None)
    for one in found:
        verdict = one["verdict"]["verdict"] if one["verdict"] else ""
        cells = [
            one["service"], one["version"], one["previous"] or "", _when(one["first_seen"]), _when(one["last_seen"]),
            str(one["instances"]), " ".join(one["signals"]),
        ]  # fmt: skip
        table.add_row(*map(Text, cells), Text(verdict.replace("_", " "), style=_STYLES.get(verdict, "")))
    Console().print(table)


def _when(instant: str) -> str:
    return instant[:19].replace("T", " ")
