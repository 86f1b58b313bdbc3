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
    wants_json,
)

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

Selector = Annotated[str, typer.Argument(help='A service, or labels: service_name="checkout",env=~"prod|staging".')]
Kind = Annotated[str | None, typer.Option("--type", help="cpu, wall, inuse_space, ...; see `types`.")]
Function = Annotated[
    str | None, typer.Option("--function", "-f", help="Only stacks through a function with this text.")
]
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
    selector: Selector = "", type: Kind = None, function: Function = None, labels: Labels = None,
    by: Annotated[str, typer.Option(help="Sort by self or total.")] = "self",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many functions.")] = 25,
    since: Since = None, start: Start = None, end: End = None, output: Output = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """The dearest functions: themselves (self), and with all that they call (total)."""
    as_json = wants_json(output)
    answer = ask(
        server, "/api/profiles/top", **_who(selector), type=type, function=function, labels=labels, by=by, limit=limit,
        since=since, start=start, end=end,
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
    selector: Selector = "", type: Kind = None, function: Function = None, labels: Labels = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000_000, help="How many stacks.")] = 10_000,
    since: Since = None, start: Start = None, end: End = None, server: Server = DEFAULT_SERVER,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FORMAT", help="text or json; json when piped.")
    ] = None,
) -> None:  # fmt: skip
    """Stacks with their values, root first: `main;handle;parse 12`."""
    as_json = output != "text" and wants_json(output)
    answer = ask(
        server, "/api/profiles/folded", **_who(selector), type=type, function=function, labels=labels, limit=limit,
        since=since, start=start, end=end,
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
    selector: Selector = "", type: Kind = None, function: Function = None, labels: Labels = None,
    depth: Annotated[int, typer.Option(min=1, max=400, help="How many levels.")] = 30,
    since: Since = None, start: Start = None, end: End = None, output: Output = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """A flame graph in the terminal: a function is as wide as what it costs, its callers above it."""
    as_json = wants_json(output)
    answer = ask(
        server, "/api/profiles/flame", **_who(selector), type=type, function=function, labels=labels, depth=depth,
        since=since, start=start, end=end,
    )  # fmt: skip
    if as_json:
        print_lines([answer])
        return
    from pilothouse.cli.flame import print_flame

    _headline(answer)
    print_flame(answer["root"], lambda value: _amount(value, answer["unit"]))


@app.command("diff", epilog="Example: pilothouse profiles diff checkout --baseline 1.0.0 --candidate 2.0.0 --since 1h")
def diff(
    selector: Selector,
    baseline: Annotated[str, typer.Option(help="A version, or labels.")],
    candidate: Annotated[str, typer.Option(help="A version, or labels.")],
    type: Kind = None, function: Function = None, labels: Labels = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many functions.")] = 25,
    since: Since = None, start: Start = None, end: End = None, output: Output = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """What changed from one release to another: the functions whose own cost moved most, on one scale."""
    as_json = wants_json(output)
    answer = ask(
        server, "/api/profiles/diff", **_who(selector), baseline=baseline, candidate=candidate, type=type, limit=limit,
        function=function, labels=labels, since=since, start=start, end=end, nodes=16,
    )  # fmt: skip
    if as_json:
        print_lines(answer["functions"])
        return
    for side, name in (("baseline", baseline), ("candidate", candidate)):
        if not answer[f"{side}_profiles"]:
            fail(f"no profile of {side} {name} in this time; try a longer --since")
    unit = answer["unit"]
    rows = [
        (_change(one["baseline_self"], one["candidate_self"], unit), _amount(one["baseline_self"], unit),
         _amount(one["candidate_self"], unit), _change(one["baseline"], one["candidate"], unit),
         one["function"], one["file"])
        for one in answer["functions"]
    ]  # fmt: skip
    typer.echo(
        f"{answer['type']}: {_amount(answer['baseline_total'], unit)} -> {_amount(answer['candidate_total'], unit)}, "
        f"{answer['baseline_profiles']} and {answer['candidate_profiles']} profiles"
    )
    _table(("self", baseline, candidate, "total", "function", "file"), rows, right=4)


@app.command(
    "export", epilog="Example: pilothouse profiles export checkout --since 1h > cpu.pb.gz; go tool pprof cpu.pb.gz"
)
def export(
    selector: Selector = "", type: Kind = None, labels: Labels = None,
    format: Annotated[str, typer.Option("--format", "-F", help="pprof, folded or speedscope.")] = "pprof",
    to: Annotated[Path | None, typer.Option("--to", help="Write to this file.", show_default="stdout")] = None,
    since: Since = None, start: Start = None, end: End = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """What was profiled as one file for other tools."""
    content = _fetch(
        server, "/api/profiles/export", **_who(selector), type=type, labels=labels, format=format, since=since,
        start=start, end=end,
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


def _change(before: int, after: int, unit: str) -> str:
    text = f"{'+' if after >= before else '-'}{_amount(abs(after - before), unit)}"
    return f"[red]{text}[/red]" if after > before else f"[green]{text}[/green]" if after < before else text


def _amount(value: int, unit: str) -> str:
    """`1.2 s`, `3.4 MiB`, `56`: three figures."""
    scales = {"ns": ((1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1, " ns")),
              "By": ((2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"), (1, " B"))}  # fmt: skip
    for size, name in scales.get(unit, ()):
        if value >= size:
            return f"{value / size:.3g}{name}" if value < 1000 * size else f"{value / size:,.0f}{name}"
    return f"{value:,}"
