"""`pilothouse backup` and `pilothouse restore`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Output, Server, ask, fail, print_lines, send, wants_json

_KEEP = typer.Option("--keep", min=0, max=1_000, help="Delete older ones than the newest so many; 0: none.")
_LIST = typer.Option("--list", help="List the backups that there are; make none.")
_BACKUP = typer.Argument(metavar="BACKUP", help="The directory of a backup.", exists=True, file_okay=False)
_DATA = typer.Option("--data", help="An empty directory, or one that is not there yet.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup", epilog="Example: pilothouse backup --keep 7")(backup)
    app.command("restore", epilog="Example: pilothouse restore data/backups/20260102T030405000Z --data ./restored")(
        restore
    )


def backup(
    keep: Annotated[int, _KEEP] = 0,
    list_: Annotated[bool, _LIST] = False,
    server: Server = DEFAULT_SERVER,
    output: Output = None,
) -> None:
    """Have a running server back everything up, in its own directory of backups; it goes on working meanwhile."""
    rows = ask(server, "/api/backups")["backups"] if list_ else [send(server, "/api/backups", {"keep": keep})]
    if wants_json(output):
        print_lines(rows)
        return
    for row in rows:
        typer.echo(f"{row['path']}: {_told(row)}")
    if not rows:
        typer.echo("There are no backups.")


def restore(backup: Annotated[Path, _BACKUP], data: Annotated[Path, _DATA], output: Output = None) -> None:
    """Put a backup into an empty data directory, for a server to be started on."""
    from pilothouse.server.backups.manifest import BackupError
    from pilothouse.server.backups.restoring import restore as restored

    try:
        manifest = restored(backup, data, lambda text: typer.echo(text, err=True) if sys.stderr.isatty() else None)
    except BackupError as error:
        fail(str(error))
    row = {"data": str(data)} | manifest.to_json()
    if wants_json(output):
        print_lines([{name: row[name] for name in ("data", "made", "version", "rows", "bytes", "notes")}])
        return
    typer.echo(f"{data}: {_told(row)}, as of {manifest.made}")
    typer.echo(f"Start a server on it:  pilothouse up --data {data}")


def _told(row: dict[str, Any]) -> str:
    notes = "".join(f"; {note}" for note in row["notes"])
    return f"{row['rows']:,} rows, {row['bytes'] / 1e6:,.1f} MB{notes}"
