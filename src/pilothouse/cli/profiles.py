"""`pilothouse profiles`: functions by cost, folded stacks, a flame graph, and what a release changed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
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

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

Selector = Annotated[str, typer.Argument(help='A service, or labels: service_name="checkout",env=~"prod|staging".')]
Kind = Annotated[str | None, typer.Option("--type", help="cpu, wall, inuse_space, ...; see `types`.")]
Function = Annotated[
    str | None, typer.Option("--function", "-f", help="Only stacks through a function with this text.")
]
Span = Annotated[str | None, typer.Option("--span", metavar="ID", help="Only what ran in this span.")]
Labels = Annotated[str | None, typer.Option("--labels", help='Labels of samples: span_id="...", thread_name=~"io.*".')]


@app.command("types", epilog="Example: pilothouse profiles types checkout --since 1h")
def types(
    selector: Selector = "", since: Since = None, start: Start = None, end: End = None, output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """What was profiled."""
    as_json = wants_json(output)
    answer = ask(server, "/api/profiles/types", **_who(selector), since=since, start=start, end=end)
    found = answer["types"]
    rows = [
        (one["type"], f"{one['profiles']}", f"{one['seconds']:.0f} s", _amount(one["total"], one["unit"]))
        for one in found
    ]
    print_lines(found) if as_json else _table(("type", "profiles", "profiled", "total"), rows)


@app.command(
    "top",
    epilog="Examples: pilothouse profiles top checkout --since 1h  |  pilothouse profiles top --type inuse_space",
)
def top(
    selector: Selector = "", type: Kind = None, function: Function = None, labels: Labels = None, span: Span = None,
    by: Annotated[str, typer.Option(help="Sort by self or total.")] = "self",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many functions.")] = 25,
    since: Since = None, start: Start = None, end: End = None, output: Output = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """The dearest functions: themselves (self), and with all that they call (total)."""
    as_json = wants_json(output)
    answer = ask(
        server, "/api/profiles/top", **_who(selector), type=type, function=function, labels=labels, span=span, by=by,
        limit=limit, since=since, start=start, end=end,
    )  # fmt: skip
    if as_json:
        print_lines(answer["functions"])
        return
    whole, unit = answer["total"] or 1, answer["unit"]
    rows = [
        (_amount(one["self"], unit), f"{one['self'] / whole:.1%}", _amount(one["total"], unit),
         f"{one['total'] / whole:.1%}", one["function"], one["file"])
        for one in answer["functions"]
    ]  # fmt: skip
    _headline(answer)
    _table(("self", "", "total", "", "function", "file"), rows, right=4)


@app.command("folded", epilog="Example: pilothouse profiles folded checkout -o text | flamegraph.pl > flame.svg")
def folded(
    selector: Selector = "", type: Kind = None, function: Function = None, labels: Labels = None, span: Span = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000_000, help="How many stacks.")] = 10_000,
    since: Since = None, start: Start = None, end: End = None, server: Server = DEFAULT_SERVER,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FORMAT", help="text or json; json when piped.")
    ] = None,
) -> None:  # fmt: skip
    """Stacks with their values, root first: `main;handle;parse 12`."""
    as_json = output != "text" and wants_json(output)
    answer = ask(
        server, "/api/profiles/folded", **_who(selector), type=type, function=function, labels=labels, span=span,
        limit=limit, since=since, start=start, end=end,
    )  # fmt: skip
    if as_json:
        print_lines(answer["stacks"])
        return
    for one in answer["stacks"]:
        typer.echo(f"{';'.join(name.replace(';', ':') for name in one['stack'])} {one['value']}")


@app.command(
    "flame",
    epilog='Example: pilothouse profiles flame \'service_name="checkout",service_version="2.0.0"\' --since 30m',
)
def flame(
    selector: Selector = "", type: Kind = None, function: Function = None, labels: Labels = None, span: Span = None,
    depth: Annotated[int, typer.Option(min=1, max=400, help="How many levels.")] = 30,
    keys: Annotated[
        bool | None, typer.Option("--keys/--print", help="Keys to zoom, or print it once.", show_default="by terminal")
    ] = None,
    since: Since = None, start: Start = None, end: End = None, output: Output = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """A flame graph in the terminal: a function is as wide as what it costs, its callers above it.

    Arrows move, Enter zooms in, Backspace out, / finds a function, q quits.
    """
    as_json = wants_json(output)
    answer = ask(
        server, "/api/profiles/flame", **_who(selector), type=type, function=function, labels=labels, span=span,
        depth=depth, since=since, start=start, end=end,
    )  # fmt: skip
    if as_json:
        print_lines([answer])
        return
    unit = answer["unit"]
    if (sys.stdin.isatty() and sys.stdout.isatty() if keys is None else keys) and answer["root"]["value"]:
        from pilothouse.cli.flame_keys import show_flame

        show_flame(
            answer["root"], f"{answer['type']}: {_amount(answer['total'], unit)}", lambda one: _amount(one, unit)
        )
        return
    from pilothouse.cli.flame import print_flame

    _headline(answer)
    print_flame(answer["root"], lambda value: _amount(value, answer["unit"]))


@app.command(
    "diff",
    epilog="Examples: pilothouse profiles diff checkout --baseline 1.0.0 --candidate 2.0.0 --since 1h  |  "
    "pilothouse profiles diff checkout --baseline 1.0.0 --candidate 2.0.0 --per request",
)
def diff(
    selector: Selector,
    baseline: Annotated[str, typer.Option(help="A version, or labels.")],
    candidate: Annotated[str, typer.Option(help="A version, or labels.")],
    type: Kind = None, function: Function = None, labels: Labels = None, span: Span = None,
    per: Annotated[str, typer.Option(help="total (scaled to the baseline's time), second, or request.")] = "total",
    level: Annotated[float, typer.Option(help="How sure all intervals together are to hold.")] = 0.999,
    every: Annotated[bool, typer.Option("--all", help="Also what may be noise.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many functions.")] = 25,
    since: Since = None, start: Start = None, end: End = None, output: Output = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """What changed from one release to another: functions whose cost moved by more than noise, on one scale.

    Each change has an interval that holds for all functions at once; what may be noise is left out (--all shows it).
    """
    as_json = wants_json(output)
    answer = ask(
        server, "/api/profiles/diff", **_who(selector), baseline=baseline, candidate=candidate, type=type, limit=limit,
        function=function, labels=labels, span=span, per=per, level=level, since=since, start=start, end=end, nodes=16,
    )  # fmt: skip
    if as_json:
        print_lines(answer["functions"])
        return
    found = [one for one in answer["functions"] if every or one["self_found"] or one["found"]]
    for side, name in (("baseline", baseline), ("candidate", candidate)):
        if not answer[f"{side}_profiles"]:
            fail(f"no profile of {side} {name} in this time; try a longer --since")
    _print_difference(answer, found, baseline, candidate)


def _print_difference(answer: dict[str, Any], found: list[dict[str, Any]], baseline: str, candidate: str) -> None:
    unit, per = answer["unit"], "" if answer["per"] == "total" else f" a {answer['per']}"
    typer.echo(
        f"{answer['type']}: {_amount(answer['baseline_total'], unit)} -> "
        f"{_amount(answer['candidate_total'], unit)}{per}, "
        f"{answer['baseline_profiles']} and {answer['candidate_profiles']} profiles"
    )
    if not found:
        enough = any(one["self_interval"] for one in answer["functions"])
        reason = "no function changed by more than noise" if enough else "too few profiles to tell a change from noise"
        typer.echo(f"{reason[0].upper()}{reason[1:]}; --all shows what moved.")
        return
    rows = [
        (_change(one["baseline_self"], one["candidate_self"], unit), _interval(one["self_interval"], unit),
         _amount(one["baseline_self"], unit), _amount(one["candidate_self"], unit),
         _change(one["baseline"], one["candidate"], unit), _interval(one["interval"], unit),
         _escaped(one["function"]), one["file"])
        for one in found
    ]  # fmt: skip
    heads = ("self", "between", baseline, candidate, "with callees", "between", "function", "file")
    _table(heads, rows, right=6)


def _interval(bounds: list[float] | None, unit: str) -> str:
    return f"[dim]{_signed(bounds[0], unit)} .. {_signed(bounds[1], unit)}[/dim]" if bounds else "[dim]?[/dim]"


def _signed(value: float, unit: str) -> str:
    return f"{'-' if value < 0 else '+'}{_amount(abs(value), unit)}"


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
        server, "/api/profiles/function", **_who(selector), function=name, file=file, type=type, labels=labels,
        span=span, since=since, start=start, end=end, nodes=16,
    )  # fmt: skip
    kept = {key: value for key, value in answer.items() if key not in ("above", "below")}
    if as_json:
        print_lines([kept])
        return
    unit, whole = answer["unit"], answer["of_it"] or 1

    def rows(side: str, arrow: str) -> list[tuple[str, ...]]:
        return [
            (_amount(one["value"], unit), f"{one['value'] / whole:.1%}", f"{arrow} {one['function']}", one["file"])
            for one in answer[side][:limit]
        ]

    own = f"{answer['of_it'] / (answer['total'] or 1):.1%} of all, self {_amount(answer['self'], unit)}"
    middle = (_amount(answer["of_it"], unit), "100%", f"{name}  ({own})", "")
    _table(("value", "", "function", "file"), [*rows("callers", "  ^"), middle, *rows("callees", "  v")], right=2)


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
        server, "/api/profiles/function", **_who(selector), function=name, type=type, labels=labels, span=span,
        since=since, start=start, end=end, nodes=16,
    )  # fmt: skip
    if as_json:
        print_lines(answer["lines"])
        return
    from pilothouse.cli.source_lines import listing

    _headline(answer)
    for file, rows in listing(answer["lines"], source).items():
        typer.echo(file)
        for number, own, total, text in rows:
            values = [_amount(value, answer["unit"]) if value else "." for value in (own, total)]
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
        server, "/api/profiles/timeline", **_who(selector), function=name, type=type, labels=labels, span=span,
        step=step, since=since, start=start, end=end,
    )  # fmt: skip
    if as_json:
        print_lines(answer["points"])
        return
    points = [one for one in answer["points"] if one["share"] is not None]
    most = max((one["share"] for one in points), default=0) or 1
    for one in points:
        bar = "█" * round(40 * one["share"] / most)
        typer.echo(f"{one['time'][:19]}Z {one['share']:>7.2%} {_amount(one['total'], answer['unit']):>10} {bar}")
    if not points:
        typer.echo("Nothing was profiled there. Widen --since, or see `pilothouse profiles types`.")


@app.command(
    "export", epilog="Example: pilothouse profiles export checkout --since 1h > cpu.pb.gz; go tool pprof cpu.pb.gz"
)
def export(
    selector: Selector = "", type: Kind = None, labels: Labels = None, span: Span = None,
    format: Annotated[str, typer.Option("--format", "-F", help="pprof, folded or speedscope.")] = "pprof",
    to: Annotated[Path | None, typer.Option("--to", help="Write to this file.", show_default="stdout")] = None,
    since: Since = None, start: Start = None, end: End = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """What was profiled as one file for other tools."""
    content = _fetch(
        server, "/api/profiles/export", **_who(selector), type=type, labels=labels, span=span, format=format,
        since=since, start=start, end=end,
    )  # fmt: skip
    if to:
        try:
            to.write_bytes(content)
        except OSError as error:
            fail(f"{to}: {error.strerror}")
    elif format == "pprof" and sys.stdout.isatty():
        fail("pprof is not for a terminal; redirect it, or say where with --to FILE")
    else:
        sys.stdout.buffer.write(content)


def _fetch(server: str, path: str, **parameters: str | None) -> bytes:
    """What an API call answers, as it is."""
    import httpx

    given = {name: value for name, value in parameters.items() if value is not None}
    try:
        response = httpx.get(f"{server.rstrip('/')}{path}", params=given, timeout=120)
    except (httpx.InvalidURL, httpx.HTTPError) as error:
        fail(f"{server}: {error or type(error).__name__}; say where Pilothouse runs with --server")
    if not response.is_success:
        fail(response.json()["error"]["message"] if "json" in response.headers["content-type"] else response.text)
    return response.content


def _who(selector: str) -> dict[str, str | None]:
    """A word is a service, anything with a comparison is a selector."""
    if not selector:
        return {}
    return {"selector": selector} if "=" in selector or "{" in selector else {"service": selector}


def _headline(answer: dict[str, Any]) -> None:
    typer.echo(f"{answer['type']}: {_amount(answer['total'], answer['unit'])} in {answer['profiles']} profiles")


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], right: int = 0) -> None:
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
    Console().print(table if rows else "Nothing was profiled there. Widen --since, or see `pilothouse profiles types`.")


def _change(before: float, after: float, unit: str) -> str:
    text = f"{'+' if after >= before else '-'}{_amount(abs(after - before), unit)}"
    return f"[red]{text}[/red]" if after > before else f"[green]{text}[/green]" if after < before else text


def _escaped(text: str) -> str:
    return str(printable(text))


def _amount(value: float, unit: str) -> str:
    """`1.2 s`, `3.4 MiB`, `56`: three figures."""
    scales = {"ns": ((1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1, " ns")),
              "By": ((2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"), (1, " B"))}  # fmt: skip
    for size, name in scales.get(unit, ()):
        if value >= size:
            return f"{value / size:.3g}{name}" if value < 1000 * size else f"{value / size:,.0f}{name}"
    return f"{value:,}" if isinstance(value, int) or value >= 1000 else f"{value:.3g}"
