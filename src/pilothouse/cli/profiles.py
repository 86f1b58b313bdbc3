"""`pilothouse profiles`: functions by cost, folded stacks, a flame graph, files for other tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli import profile_diff, profile_function
from pilothouse.cli.client import (
    DEFAULT_SERVER,
    End,
    Output,
    Server,
    Since,
    Start,
    ask,
    call,
    fail,
    print_lines,
    wants_json,
)
from pilothouse.cli.profile_wording import (
    NOTHING_PROFILED,
    Function,
    Kind,
    Labels,
    Selector,
    Span,
    amount,
    headline,
    table,
    who,
)

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")


@app.command("types", epilog="Example: pilothouse profiles types checkout --since 1h")
def types(
    selector: Selector = "", since: Since = None, start: Start = None, end: End = None, output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """What was profiled."""
    as_json = wants_json(output)
    answer = ask(server, "/api/profiles/types", **who(selector), since=since, start=start, end=end)
    found = answer["types"]
    rows = [
        (one["type"], f"{one['profiles']}", f"{one['seconds']:.0f} s", amount(one["total"], one["unit"]))
        for one in found
    ]
    print_lines(found) if as_json else table(("type", "profiles", "profiled", "total"), rows)


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
        server, "/api/profiles/top", **who(selector), type=type, function=function, labels=labels, span=span, by=by,
        limit=limit, since=since, start=start, end=end,
    )  # fmt: skip
    if as_json:
        print_lines(answer["functions"])
        return
    whole, unit = answer["total"] or 1, answer["unit"]
    rows = [
        (amount(one["self"], unit), f"{one['self'] / whole:.1%}", amount(one["total"], unit),
         f"{one['total'] / whole:.1%}", one["function"], one["file"])
        for one in answer["functions"]
    ]  # fmt: skip
    headline(answer)
    table(("self", "", "total", "", "function", "file"), rows, right=4)


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
        server, "/api/profiles/folded", **who(selector), type=type, function=function, labels=labels, span=span,
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
        server, "/api/profiles/flame", **who(selector), type=type, function=function, labels=labels, span=span,
        depth=depth, since=since, start=start, end=end,
    )  # fmt: skip
    if as_json:
        print_lines([answer])
        return
    unit = answer["unit"]
    if (sys.stdin.isatty() and sys.stdout.isatty() if keys is None else keys) and answer["root"]["value"]:
        from pilothouse.cli.flame_keys import show_flame

        show_flame(answer["root"], f"{answer['type']}: {amount(answer['total'], unit)}", lambda one: amount(one, unit))
        return
    from pilothouse.cli.flame import print_flame

    headline(answer)
    print_flame(answer["root"], lambda value: amount(value, answer["unit"]))


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
    given = {
        **who(selector), "type": type, "labels": labels, "span": span, "format": format,
        "since": since, "start": start, "end": end,
    }  # fmt: skip
    known = {name: value for name, value in given.items() if value is not None}
    response = call(server, "GET", "/api/profiles/export", params=known)
    content = response.content
    if response.headers.get("pilothouse-stacks") == "0":
        typer.echo(NOTHING_PROFILED, err=True)
    if to:
        try:
            to.write_bytes(content)
        except OSError as error:
            fail(f"{to}: {error.strerror}")
    elif format == "pprof" and sys.stdout.isatty():
        fail("pprof is not for a terminal; redirect it, or say where with --to FILE")
    else:
        sys.stdout.buffer.write(content)


for _group in (profile_diff.app, profile_function.app):
    app.registered_commands += _group.registered_commands
