"""`pilothouse traces`: traces by service and duration, and one trace as a waterfall."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
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

if TYPE_CHECKING:
    from rich.text import Text

_WIDTH = 40
_COLOURS = ("cyan", "green", "yellow", "blue", "magenta", "bright_cyan", "bright_green", "bright_yellow")


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = (
        "Examples: pilothouse traces --service checkout --min-duration 100ms  |  "
        "pilothouse traces '{ status = error && duration > 100ms }'  |  "
        "pilothouse traces 5b8aa5a2d2c872e8321cf37308d69df2 --logs"
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
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many, the newest.")] = 20,
    since: Since = None,
    start: Start = None,
    end: End = None,
    logs: Annotated[bool, typer.Option("--logs", help="Show the trace's log lines between its spans.")] = False,
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Traces that have a span which fits all that is asked; or one trace."""
    as_json = wants_json(output)
    query = wanted if wanted and set(wanted) & set("{(") else None
    if wanted and not query:
        answer = ask(server, f"/api/traces/{quote(wanted, safe='')}")
        lines = _lines(server, answer) if logs else []
        print_lines([*answer["spans"], *lines]) if as_json else _print_trace(printable(answer), printable(lines))
        return
    answer = ask(
        server, "/api/traces", q=query, service=service, selector=selector, operation=operation,
        min_duration=min_duration, max_duration=max_duration, errors="1" if errors else None, limit=limit,
        since=since, start=start, end=end,
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


def _lines(server: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The log lines that name the trace, from a minute before it to a minute after it."""
    begin = min(map(_start, answer["spans"])) / 1000
    end = max(_start(span) + span["duration_ms"] for span in answer["spans"]) / 1000
    found = ask(
        server, "/api/logs", trace_id=answer["trace_id"], start=_instant(begin - 60), end=_instant(end + 60), limit=1000
    )
    return sorted(found["logs"], key=lambda line: str(line["time"]))


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _print_trace(answer: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    """A waterfall: a colour for each service, errors red, `*` for the critical path, log lines under their span."""
    from rich.console import Console

    console = Console()
    spans = answer["spans"]
    begin = min(map(_start, spans))
    whole = max(_start(span) + span["duration_ms"] for span in spans) - begin or 1.0
    names = sorted({_service(span) for span in spans})
    colours = {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(names)}
    console.print(
        f"Trace {answer['trace_id']}: {len(spans)} spans, {whole:.2f} ms (* is the critical path)", soft_wrap=True
    )
    told: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        told.setdefault(line.get("span_id", ""), []).append(line)
    for depth, span in _in_tree(spans):
        console.print(_bar(span, depth, (_start(span) - begin) / whole, whole, colours[_service(span)]), soft_wrap=True)
        for line in told.pop(span["span_id"], []):
            console.print(_said(line, depth + 1), soft_wrap=True)
    for line in (line for rest in told.values() for line in rest):
        console.print(_said(line, 0), soft_wrap=True)


def _bar(span: dict[str, Any], depth: int, begin: float, whole: float, colour: str) -> Text:
    from rich.text import Text

    offset = min(round(begin * _WIDTH), _WIDTH - 1)
    length = max(1, min(round(span["duration_ms"] / whole * _WIDTH), _WIDTH - offset))
    line = Text(" " * offset)
    line.append("█" * length, style="red" if span["status"] == "ERROR" else colour)
    line.pad_right(max(0, _WIDTH + 1 - line.cell_len))
    line.append("* " if span["critical"] else "  ", style="bold")
    line.append(f"{span['duration_ms']:>10.2f} ms  ", style="dim").append("  " * depth)
    return line.append(_service(span), style=f"bold {colour}").append(f" {span['name']}")


def _said(line: dict[str, Any], depth: int) -> Text:
    from rich.text import Text

    made = Text(" " * (_WIDTH + 18) + "  " * depth, style="dim")
    return made.append(f"{str(line['time'])[11:23]} {line.get('severity', '')} {line['body']}")


def _service(span: dict[str, Any]) -> str:
    return str(span["resource"].get("service.name", "?"))


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
