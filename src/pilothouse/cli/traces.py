"""`pilothouse traces`: traces by service and duration, one trace as a waterfall, where time goes, two versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

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
    wants_json,
)
from pilothouse.cli.operations import print_comparison, print_spending
from pilothouse.cli.waterfall import print_trace, start_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = (
        "Examples: pilothouse traces --service checkout --min-duration 100ms  |  "
        "pilothouse traces '{ status = error && duration > 100ms }'  |  "
        "pilothouse traces 5b8aa5a2d2c872e8321cf37308d69df2 --logs  |  "
        "pilothouse traces --service checkout --critical  |  "
        "pilothouse traces --service checkout --compare 1.4.0 1.5.0"
    )
    app.command("traces", epilog=example)(traces)


def traces(
    wanted: Annotated[
        str | None, typer.Argument(metavar="[TRACE_ID|QUERY]", help="Show this trace, or find traces with TraceQL.")
    ] = None,
    service: Annotated[str | None, typer.Option(help="A span of this service.")] = None,
    selector: Annotated[str | None, typer.Option(help='Labels of the span\'s resource: env="prod".')] = None,
    operation: Annotated[str | None, typer.Option(help="A span of this name.")] = None,
    min_duration: Annotated[str | None, typer.Option(help="A span at least this long: 100ms, 2s.")] = None,
    max_duration: Annotated[str | None, typer.Option(help="A span at most this long.")] = None,
    errors: Annotated[bool, typer.Option("--errors", help="A span with an error.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            min=1,
            max=1000,
            help="How many, the newest: 20 to list, 200 for --critical, 300 of each version for --compare.",
        ),
    ] = None,
    since: Since = None,
    start: Start = None,
    end: End = None,
    logs: Annotated[bool, typer.Option("--logs", help="Show the trace's log lines between its spans.")] = False,
    critical: Annotated[
        bool, typer.Option("--critical", help="Which operations the traces that fit spend their time in.")
    ] = False,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option("--compare", metavar="V1 V2", help="Two versions of --service: what slowed, and where."),
    ] = None,
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Traces that have a span which fits all that is asked; or one trace."""
    as_json = wants_json(output)
    if compare:
        if not service:
            fail("--compare needs --service: whose versions are to be compared?")
        answer = ask(
            server, "/api/traces/compare", service=service, baseline=compare[0], candidate=compare[1],
            operation=operation, limit=limit, since=since, start=start, end=end,
        )  # fmt: skip
        print_lines(answer["operations"]) if as_json else print_comparison(printable(answer))
        return
    query = wanted if wanted and set(wanted) & set("{(") else None
    if wanted and not query:
        answer = ask(server, f"/api/traces/{quote(wanted, safe='')}")
        lines = _lines(server, answer) if logs else []
        print_lines([*answer["spans"], *lines]) if as_json else print_trace(printable(answer), printable(lines))
        return
    answer = ask(
        server, "/api/traces/critical" if critical else "/api/traces", q=query, service=service, selector=selector,
        operation=operation, min_duration=min_duration, max_duration=max_duration, errors="1" if errors else None,
        limit=limit, since=since, start=start, end=end,
    )  # fmt: skip
    if critical:
        print_lines(answer["operations"]) if as_json else print_spending(printable(answer))
        return
    print_lines(answer["traces"]) if as_json else _print_list(printable(answer["traces"]))


# The columns that a list of traces needs to be a table of all that is known of each.
_WIDE = 110


def _print_list(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    wide = console.width >= _WIDE
    # An id is there to be copied, so it stays whole; where there is little room, the rest is said in fewer words.
    heads = ("service", "operation", "spans", "errors") if wide else ("operation",)
    table = Table(box=None, header_style="dim")
    for place, head in enumerate(("trace", "start", "duration", *heads)):
        table.add_column(head, no_wrap=place < 3, overflow="fold")
    for row in found:
        start, took = row["start"][:23].replace("T", " "), f"{row['duration_ms']:.2f} ms"
        failed = "red" if row["errors"] else ""
        if wide:
            cells = (row["trace_id"], start, took, row["service"], row["root"], str(row["spans"]))
            table.add_row(*map(Text, cells), Text(str(row["errors"]), style=failed))
        else:
            table.add_row(*map(Text, (row["trace_id"], start[11:19], took)), Text(_said(row), style=failed))
    console.print(table if found else "No trace fits. Widen --since, or ask for less.")


def _said(row: dict[str, Any]) -> str:
    errors = f", {row['errors']} error{'s' * (row['errors'] != 1)}" if row["errors"] else ""
    return f"{row['service']} {row['root']}{errors}"


def _lines(server: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The log lines that name the trace, from a minute before it to a minute after it."""
    begin = min(map(start_of, answer["spans"])) / 1000
    end = max(start_of(span) + span["duration_ms"] for span in answer["spans"]) / 1000
    found = ask(
        server, "/api/logs", trace_id=answer["trace_id"], start=_instant(begin - 60), end=_instant(end + 60), limit=1000
    )
    return sorted(found["logs"], key=lambda line: str(line["time"]))


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
