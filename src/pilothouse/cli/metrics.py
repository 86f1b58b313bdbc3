"""`pilothouse metrics`: series with their latest value or rate."""

from __future__ import annotations

import re
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
    wants_json,
)

# `up`, `up{job="shop"}`: a name, as who knows Prometheus writes it.
_NAMED = re.compile(r"\s*([A-Za-z_:][\w:.]*)\s*(\{.*\})?\s*", re.DOTALL)
_PROMQL = re.compile(r"\s*[\w:]+\s*((by|without)\b|\(|\[|\{[^}]*\}\s*\S)")
_BARS = " ▁▂▃▄▅▆▇█"


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = "Example: pilothouse metrics 'service_name=\"checkout\"' --name http.server.request.duration --since 1h"
    app.command("metrics", epilog=example)(metrics)


def metrics(
    selector: Annotated[str, typer.Argument(help='Labels: service_name="checkout"; or a name.')] = "",
    name: Annotated[str | None, typer.Option("--name", help="Only this metric.")] = None,
    step: Annotated[str | None, typer.Option(help="Distance of the points, for example 15s.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=5000, help="How many series.")] = 100,
    since: Since = None,
    start: Start = None,
    end: End = None,
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Series of a selector: counters as rates a second, gauges as last values."""
    as_json = wants_json(output)
    if _PROMQL.match(selector):
        fail("this is PromQL, of which the page and /prometheus/api/v1/query_range make series; here labels are wanted")
    if named := _NAMED.fullmatch(selector):
        name, selector = name or named[1], named[2] or ""
    answer = ask(
        server,
        "/api/metrics",
        selector=selector,
        name=name,
        step=step,
        limit=limit,
        since=since,
        start=start,
        end=end,
    )
    if as_json:
        print_lines(answer["series"])
    else:
        _print(printable(answer["series"]))


def _print(series: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("metric", "labels", "value", "unit", "course", box=None, header_style="dim")
    for row in series:
        values = [point[1] for point in row["points"]]
        labels = ", ".join(f"{name}={value}" for name, value in row["labels"].items() if _telling(name))
        unit = f"{row['unit'] or '1'}{'/s' if row['value'] != 'last' else ''}"
        cells = (row["name"], labels, f"{values[-1]:.6g}" if values else "-", unit, _course(values))
        table.add_row(*map(Text, cells))
    Console().print(table if series else "No series fits. Widen --since or the selector.")


def _telling(label: str) -> bool:
    return not label.startswith(("telemetry.", "process."))


def _course(values: list[float]) -> str:
    """A line of small bars, from the least value to the greatest."""
    shown = values[-30:]
    low, high = min(shown, default=0), max(shown, default=0)
    spread = (high - low) or 1
    return "".join(_BARS[1 + round((value - low) / spread * 7)] for value in shown)
