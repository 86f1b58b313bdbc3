"""`pilothouse logs`: records by label, time and text."""

from __future__ import annotations

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
    print_lines,
    printable,
    wants_json,
)

_COLOURS = {
    "TRACE": "dim",
    "DEBUG": "dim",
    "INFO": "green",
    "WARN": "yellow",
    "ERROR": "red",
    "FATAL": "bold red",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = (
        "Examples: pilothouse logs 'service_name=\"checkout\"' --since 1h --grep timeout  |  "
        "pilothouse logs --severity error -n 20 -o json"
    )
    app.command("logs", epilog=example)(logs)


def logs(
    selector: Annotated[str, typer.Argument(help='Labels: service_name="checkout", env=~"prod|staging".')] = "",
    grep: Annotated[
        list[str] | None, typer.Option("--grep", "-g", help="Text that the line contains; repeatable.")
    ] = None,
    severity: Annotated[str | None, typer.Option(help="At least: trace, debug, info, warn, error, fatal.")] = None,
    trace: Annotated[str | None, typer.Option("--trace", metavar="ID", help="Only of this trace.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many, the newest.")] = 100,
    count: Annotated[bool, typer.Option("--count", "-c", help="Only how many there are.")] = False,
    since: Since = None,
    start: Start = None,
    end: End = None,
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Log records, oldest of the newest first, as a terminal scrolls."""
    as_json = wants_json(output)
    answer = ask(
        server, "/api/logs", selector=selector, contains=grep or None, severity=severity, trace_id=trace, limit=limit,
        since=since, start=start, end=end, count="1" if count else None,
    )  # fmt: skip
    if count:
        typer.echo(answer["count"])
    elif as_json:
        print_lines(answer["logs"][::-1])
    else:
        _print(printable(answer["logs"][::-1]))


def _print(records: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for record in records:
        line = Text(record["time"][:23].replace("T", " "), style="dim")
        line.append(f" {record['severity'] or '-':<5} ", style=_COLOURS.get(record["severity"].upper(), ""))
        line.append(_who(record["resource"]), style="cyan").append(f" {record['body']}")
        for name, value in record["attributes"].items():
            line.append(f" {name}=", style="dim").append(str(value))
        console.print(line, soft_wrap=True)
    if not records:
        console.print("No record fits. Widen --since, or see what there is: pilothouse releases list", style="dim")


def _who(resource: dict[str, str]) -> str:
    name = resource.get("service.name", "?")
    version = resource.get("service.version", "")
    return f"{name}@{version}" if version else name
