"""`pilothouse traces`: traces by service and duration, and one trace as a waterfall."""

from __future__ import annotations

from datetime import datetime
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
    print_lines,
    printable,
    wants_json,
)

_WIDTH = 40


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = (
        "Examples: pilothouse traces --service checkout --min-duration 100ms  |  "
        "pilothouse traces 5b8aa5a2d2c872e8321cf37308d69df2"
    )
    app.command("traces", epilog=example)(traces)


def traces(
    trace_id: Annotated[str | None, typer.Argument(help="Show this trace.")] = None,
    service: Annotated[str | None, typer.Option(help="A span of this service.")] = None,
    selector: Annotated[str | None, typer.Option(help='Labels of the span\'s resource: env="prod".')] = None,
    operation: Annotated[str | None, typer.Option(help="A span of this name.")] = None,
    min_duration: Annotated[str | None, typer.Option(help="A span at least this long: 100ms, 2s.")] = None,
    max_duration: Annotated[str | None, typer.Option(help="A span at most this long.")] = None,
    errors: Annotated[bool, typer.Option("--errors", help="A span with an error.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many, the newest.")] = 20,
    since: Since = None,
    start: Start = None,
    end: End = None,
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Traces that have a span which fits all that is asked; or one trace."""
    as_json = wants_json(output)
    if trace_id:
        answer = ask(server, f"/api/traces/{quote(trace_id, safe='')}")
        print_lines(answer["spans"]) if as_json else _print_trace(printable(answer))
        return
    answer = ask(
        server, "/api/traces", service=service, selector=selector, operation=operation, min_duration=min_duration,
        max_duration=max_duration, errors="1" if errors else None, limit=limit, since=since, start=start, end=end,
    )  # fmt: skip
    print_lines(answer["traces"]) if as_json else _print_list(printable(answer["traces"]))


def _print_list(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("trace", "start", "duration", "service", "operation", "spans", "errors", box=None, header_style="dim")
    for row in found:
        cells = (
            row["trace_id"], row["start"][:23].replace("T", " "), f"{row['duration_ms']:.2f} ms", row["service"],
            row["root"], str(row["spans"]),
        )  # fmt: skip
        table.add_row(*map(Text, cells), Text(str(row["errors"]), style="red" if row["errors"] else ""))
    Console().print(table if found else "No trace fits. Widen --since, or ask for less.")


def _print_trace(answer: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    spans = answer["spans"]
    begin = min(map(_start, spans))
    whole = max(_start(span) + span["duration_ms"] for span in spans) - begin or 1.0
    console.print(f"Trace {answer['trace_id']}: {len(spans)} spans, {whole:.2f} ms")
    for depth, span in _in_tree(spans):
        offset = round((_start(span) - begin) / whole * _WIDTH)
        length = max(1, round(span["duration_ms"] / whole * _WIDTH))
        style = "red" if span["status"] == "ERROR" else "cyan"
        line = Text(" " * min(offset, _WIDTH - 1))
        line.append("█" * min(length, _WIDTH - min(offset, _WIDTH - 1)), style=style)
        line.pad_right(max(0, _WIDTH + 1 - line.cell_len))
        line.append(f"{span['duration_ms']:>10.2f} ms  ", style="dim").append("  " * depth)
        line.append(span["resource"].get("service.name", "?"), style="bold").append(f" {span['name']}")
        console.print(line, soft_wrap=True)


def _in_tree(spans: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Spans in the order of the tree, each with its depth; a span whose parent is missing is a root."""
    ids = {span["span_id"] for span in spans}
    children: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        parent = span["parent_span_id"] if span["parent_span_id"] in ids - {span["span_id"]} else ""
        children.setdefault(parent, []).append(span)
    ordered, stack = [], [(0, span) for span in reversed(children.get("", []))]
    while stack:
        depth, span = stack.pop()
        ordered.append((depth, span))
        stack.extend((depth + 1, child) for child in reversed(children.pop(span["span_id"], [])))
    return ordered


def _start(span: dict[str, Any]) -> float:
    """Milliseconds since the epoch."""
    return datetime.fromisoformat(span["start"][:26] + "+00:00").timestamp() * 1000
