"""`pilothouse profiles graph`, `lines` and `timeline`: one function from all sides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.client import DEFAULT_SERVER, End, Output, Server, Since, Start, ask, print_lines, wants_json
from pilothouse.cli.profile_wording import NOTHING_PROFILED, Kind, Labels, Selector, Span, amount, headline, table, who

app = typer.Typer()


@app.command("graph", epilog="Example: pilothouse profiles graph parse_order checkout --since 1h")
def graph(
    name: Annotated[str, typer.Argument(help="The function's exact name; see `top`.")],
    selector: Selector = "", type: Kind = None, labels: Labels = None, span: Span = None,
    file: Annotated[str | None, typer.Option(help="Its file, where several have the name.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many of each.")] = 15,
    since: Since = None, start: Start = None, end: End = None, output: Output = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """One function: who calls it (above), and what it calls (below), with what passes through each."""
    as_json = wants_json(output)
    answer = ask(
        server, "/api/profiles/function", **who(selector), function=name, file=file, type=type, labels=labels,
        span=span, since=since, start=start, end=end, nodes=16,
    )  # fmt: skip
    kept = {key: value for key, value in answer.items() if key not in ("above", "below")}
    if as_json:
        print_lines([kept])
        return
    unit, whole = answer["unit"], answer["of_it"] or 1

    def rows(side: str, arrow: str) -> list[tuple[str, ...]]:
        return [
            (amount(one["value"], unit), f"{one['value'] / whole:.1%}", f"{arrow} {one['function']}", one["file"])
            for one in answer[side][:limit]
        ]

    own = f"{answer['of_it'] / (answer['total'] or 1):.1%} of all, self {amount(answer['self'], unit)}"
    middle = (amount(answer["of_it"], unit), "100%", f"{name}  ({own})", "")
    table(("value", "", "function", "file"), [*rows("callers", "  ^"), middle, *rows("callees", "  v")], right=2)


@app.command("lines", epilog="Example: pilothouse profiles lines parse_order checkout --source ~/src/checkout")
def lines(
    name: Annotated[str, typer.Argument(help="The function's exact name; see `top`.")],
    selector: Selector = "", type: Kind = None, labels: Labels = None, span: Span = None,
    source: Annotated[
        Path | None, typer.Option(help="Where the sources are here; a file is found by the end of its path.")
    ] = None,
    since: Since = None, start: Start = None, end: End = None, output: Output = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """What each line of a function costs, beside the line itself if its source is here."""
    as_json = wants_json(output)
    answer = ask(
        server, "/api/profiles/function", **who(selector), function=name, type=type, labels=labels, span=span,
        since=since, start=start, end=end, nodes=16,
    )  # fmt: skip
    if as_json:
        print_lines(answer["lines"])
        return
    from pilothouse.cli.source_lines import listing

    headline(answer)
    for file, rows in listing(answer["lines"], source).items():
        typer.echo(file)
        for number, own, total, text in rows:
            values = [amount(value, answer["unit"]) if value else "." for value in (own, total)]
            typer.echo(f"{values[0]:>10} {values[1]:>10} {number:>6}  {text}".rstrip())


@app.command("timeline", epilog="Example: pilothouse profiles timeline parse_order checkout --since 6h")
def timeline(
    name: Annotated[str, typer.Argument(help="The function's exact name; see `top`.")],
    selector: Selector = "", type: Kind = None, labels: Labels = None, span: Span = None,
    step: Annotated[int | None, typer.Option(min=60, max=86_400, help="Seconds; else a hundredth of all.")] = None,
    since: Since = None, start: Start = None, end: End = None, output: Output = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """A function's share of everything over time."""
    as_json = wants_json(output)
    answer = ask(
        server, "/api/profiles/timeline", **who(selector), function=name, type=type, labels=labels, span=span,
        step=step, since=since, start=start, end=end,
    )  # fmt: skip
    if as_json:
        print_lines(answer["points"])
        return
    points = [one for one in answer["points"] if one["share"] is not None]
    most = max((one["share"] for one in points), default=0) or 1
    for one in points:
        bar = "█" * round(40 * one["share"] / most)
        typer.echo(f"{one['time'][:19]}Z {one['share']:>7.2%} {amount(one['total'], answer['unit']):>10} {bar}")
    if points and not any(one["share"] for one in points):
        typer.echo(f"No profile there has {name!r}; see `pilothouse profiles top`.", err=True)
    if not points:
        typer.echo(NOTHING_PROFILED)
