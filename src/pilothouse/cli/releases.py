"""`pilothouse releases`: the releases that the telemetry names."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from pilothouse.cli.client import (
    DEFAULT_SERVER,
    End,
    Output,
    Server,
    Since,
    Start,
    ask,
    fail,
    print_lines,
    printable,
    send,
    wants_json,
)

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

_STYLES = {"worse": "red", "no_worse": "green", "cannot_tell": "yellow"}
# The columns that need a terminal of so many characters.
_WIDE = {"first seen": 70, "last seen": 110, "instances": 110, "signals": 90}
_REPOSITORY = "The repository; FORGE:OWNER/NAME where there are several forges."


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


@app.command("show", epilog="Example: pilothouse releases show checkout 2.0.0")
def show(
    service: Annotated[str, typer.Argument(help="The service's name.", show_default=False)],
    version: Annotated[str, typer.Argument(help="Its version.", show_default=False)],
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """One release: when it was seen, by whom, what was said of it, and its last verdict."""
    as_json = wants_json(output)
    found = ask(server, "/api/releases", service=service, limit=10_000)["releases"]
    mine = [one for one in found if one["version"] == version]
    if not mine:
        known = ", ".join(one["version"] for one in found[:20]) or "none"
        fail(f"{service} has no version {version!r}; known are {known}")
    if as_json:
        print_lines(mine)
    else:
        _details(mine[0])


@app.command(
    "mark",
    epilog="Examples: pilothouse releases mark checkout 2.0.0 --commit $(git rev-parse HEAD)  |  "
    'pilothouse releases mark checkout 2.0.0 --kind config --note "pool size 5 to 50"',
)
def mark(
    service: Annotated[str, typer.Argument(help="The service's name.", show_default=False)],
    version: Annotated[str, typer.Argument(help="The version that was released.", show_default=False)],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="When: 14:05, 10m (ago), RFC 3339, now."),
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="release, or config for a changed setting.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who says so: a person, a pipeline.")] = None,
    environment: Annotated[str | None, typer.Option("--environment", help="Where: production, staging.")] = None,
    commit: Annotated[str | None, typer.Option("--commit", help="The commit.")] = None,
    url: Annotated[str | None, typer.Option("--url", help="A page about it.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="What a reader should know.")] = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Say that a version was released, or that its configuration changed.

    Releases are found from the telemetry; a mark adds the commit, the time and the reason, and explains later what
    changed when something broke.
    """
    given = {
        "service": service, "version": version, "at": at, "kind": kind, "by": by, "environment": environment,
        "commit": commit, "url": url, "note": note,
    }  # fmt: skip
    made = send(server, "/api/releases", {name: value for name, value in given.items() if value is not None})
    typer.echo(f"marked {made['service']} {made['version']} ({made['kind']}) at {_when(made['at'])} UTC")


@app.command(
    "make",
    epilog="Examples: pilothouse releases make acme/shop --dry-run  |  pilothouse releases make acme/shop --version 2",
)
def make(
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help=_REPOSITORY, show_default=False)],
    version: Annotated[str, typer.Option("--version", help="Instead of the one that follows.")] = "",
    commit: Annotated[str, typer.Option("--commit", help="Instead of the default branch's tip.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be released.")] = False,
    by: Annotated[str, typer.Option("--by", envvar="USER", help="Who asks; else $USER.")] = "",
    server: Server = DEFAULT_SERVER,
) -> None:
    """Release a repository now: version by its commits, tag, changelog, provenance; then to the first environment."""
    body = {"repository": repository, "version": version, "commit": commit, "by": by, "dry_run": dry_run}
    made = send(server, "/api/delivery/releases", body)
    was = f" after {made['before']}" if made["before"] else ""
    typer.echo(f"{'would release' if dry_run else 'released'} {made['service']} {made['version']}{was}: {made['tag']}")
    typer.echo(printable(made["changes"]))


@app.command("provenance", epilog="Example: pilothouse releases provenance acme/shop v1.4.0 > shop.intoto.json")
def provenance(
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help=_REPOSITORY, show_default=False)],
    tag: Annotated[str, typer.Argument(help="The release's tag.", show_default=False)],
    server: Server = DEFAULT_SERVER,
) -> None:
    """Where a release came from, signed, for `pilothouse pipeline verify`."""
    typer.echo(json.dumps(ask(server, "/api/delivery/releases/provenance", repository=repository, tag=tag), indent=2))


def _details(one: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    said: dict[str, Any] = {
        "service": one["service"], "version": one["version"], "after": one["previous"],
        "first seen": _when(one["first_seen"]), "last seen": _when(one["last_seen"]), "instances": one["instances"],
        "signals": " ".join(one["signals"]) or "none yet",
    }  # fmt: skip
    marked = one["mark"] or {}
    said |= {name: marked.get(name) for name in ("by", "environment", "commit", "url", "note")}
    for name, value in said.items():
        if value not in (None, ""):
            table.add_row(Text(name, style="dim"), Text(str(value)))
    if one["verdict"]:
        verdict = one["verdict"]["verdict"]
        table.add_row(Text("verdict", style="dim"), Text(verdict.replace("_", " "), style=_STYLES[verdict]))
        if rollout := one["verdict"].get("rollout"):
            table.add_row("", Text(f"decided rollout {rollout}"))
        table.add_row("", Text(one["verdict"]["summary"]))
    if since := one.get("asked_since"):
        table.add_row(
            Text("asked since", style="dim"), Text(f"{since['verdict'].replace('_', ' ')}: {since['summary']}")
        )
    Console().print(table)


def _table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=None)
    # Where there is no room, what a release is known by and how it was judged stay whole.
    for name in ("service", "version", "after"):
        table.add_column(name, overflow="fold")
    names = [name for name, least in _WIDE.items() if console.width >= least]
    for name in (*names, "verdict"):
        table.add_column(name, no_wrap=name != "signals")
    for one in found:
        verdict = one["verdict"]["verdict"] if one["verdict"] else ""
        told = {
            "first seen": _when(one["first_seen"]), "last seen": _when(one["last_seen"]),
            "instances": str(one["instances"]), "signals": " ".join(one["signals"]),
        }  # fmt: skip
        cells = [one["service"], one["version"], one["previous"] or "", *(told[name] for name in names)]
        table.add_row(*map(Text, cells), Text(verdict.replace("_", " "), style=_STYLES.get(verdict, "")))
    console.print(table)


def _when(instant: str) -> str:
    return instant[:19].replace("T", " ")
