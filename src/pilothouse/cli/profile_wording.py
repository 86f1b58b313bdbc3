"""What the commands about profiles share: their options, and how amounts and tables are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

Selector = Annotated[str, typer.Argument(help='A service, or labels: service_name="checkout",env=~"prod|staging".')]
Kind = Annotated[str | None, typer.Option("--type", help="cpu, wall, inuse_space, ...; see `types`.")]
Function = Annotated[
    str | None, typer.Option("--function", "-f", help="Only stacks through a function with this text.")
]
NOTHING_PROFILED = "Nothing was profiled there. Widen --since, or see `pilothouse profiles types`."
Span = Annotated[str | None, typer.Option("--span", metavar="ID", help="Only what ran in this span.")]
Labels = Annotated[str | None, typer.Option("--labels", help='Labels of samples: span_id="...", thread_name=~"io.*".')]


def who(selector: str) -> dict[str, str | None]:
    """A word is a service, anything with a comparison is a selector."""
    if not selector:
        return {}
    return {"selector": selector} if "=" in selector or "{" in selector else {"service": selector}


def headline(answer: dict[str, Any]) -> None:
    typer.echo(f"{answer['type']}: {amount(answer['total'], answer['unit'])} in {profiles(answer['profiles'])}")


def profiles(count: int) -> str:
    """So many profiles, in words."""
    return f"{count} profile{'s' * (count != 1)}"


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], right: int = 0) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim")
    for place, head in enumerate(heads):
        table.add_column(
            head,
            justify="right" if place < right else "left",
            no_wrap=place < right,
            style="dim" if head == "file" else "",
        )
    for row in rows:
        table.add_row(*(Text.from_markup(cell) if place < right else Text(cell) for place, cell in enumerate(row)))
    Console().print(table if rows else NOTHING_PROFILED)


def change(before: float, after: float, unit: str) -> str:
    text = f"{'+' if after >= before else '-'}{amount(abs(after - before), unit)}"
    return f"[red]{text}[/red]" if after > before else f"[green]{text}[/green]" if after < before else text


def amount(value: float, unit: str) -> str:
    """`1.2 s`, `3.4 MiB`, `56`: three figures."""
    scales = {"ns": ((1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1, " ns")),
              "By": ((2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"), (1, " B"))}  # fmt: skip
    for size, name in scales.get(unit, ()):
        if value >= size:
            return f"{value / size:.3g}{name}" if value < 1000 * size else f"{value / size:,.0f}{name}"
    return f"{value:,}" if isinstance(value, int) or value >= 1000 else f"{value:.3g}"
