"""`pilothouse logs`: records by label, time and text; LogQL; and grep for plain files."""

from __future__ import annotations

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
from pilothouse.signals.logs.recognising import is_logql

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
        'pilothouse logs \'{service_name="checkout"} |= "timeout" | json | status >= 500\' -f  |  '
        "pilothouse logs --grep 'status=5..' access.log"
    )
    app.command("logs", epilog=example)(logs)


def logs(
    query: Annotated[
        list[str] | None, typer.Argument(metavar="[QUERY] [FILE]...", help="Labels or LogQL; or files to search in.")
    ] = None,
    grep: Annotated[
        list[str] | None, typer.Option("--grep", "-g", help="Text that the line contains (in files: RE2); repeatable.")
    ] = None,
    matches: Annotated[
        list[str] | None, typer.Option("--matches", "-e", help="Regular expression (RE2) that the line matches.")
    ] = None,
    invert: Annotated[bool, typer.Option("--invert", "-v", help="Lines that do not contain or match.")] = False,
    context: Annotated[
        int, typer.Option("--context", "-C", min=0, max=100, help="Lines around each, of its stream.")
    ] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show lines as they come.")] = False,
    patterns: Annotated[bool, typer.Option("--patterns", help="Shapes of lines, with how many have each.")] = False,
    new_since: Annotated[
        str | None, typer.Option("--new-since", help="With --patterns: mark shapes not seen before 15m ago.")
    ] = None,
    new_in: Annotated[
        str | None,
        typer.Option("--new-in", metavar="VERSION", help="With --patterns: mark shapes new in this release."),
    ] = None,
    price: Annotated[bool, typer.Option("--price", help="Only what the query would read, and how long.")] = False,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="Show these labels before each line; repeatable.")
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
    words = query or []
    if files := _files(words, grep, matches):
        from pilothouse.cli.log_files import search_files

        search_files([*(grep or []), *(matches or [])], files, invert, count, context)
        return
    if len(words) > 1:
        fail(f"{words[1]!r} is not a file; a query with spaces needs quotes")
    text = words[0] if words else ""
    if (new_since or new_in) and not patterns:
        fail(f"{'--new-since' if new_since else '--new-in'} goes with --patterns")
    if (grep or matches) and text.startswith(("/", "./", "../", "~")):
        fail(f"{text}: there is no such file")
    given: dict[str, Any] = {
        "query": text or None, "contains": grep or None, "matches": matches or None, "invert": "1" if invert else None,
        "severity": severity, "trace_id": trace, "since": since, "start": start, "end": end,
    }  # fmt: skip
    as_json = wants_json(output)
    simple = not (matches or invert or context or follow or is_logql(text) or label)
    if price:
        _print_price(ask(server, "/api/logs/price", **given)["price"], as_json)
    elif patterns:
        found = ask(server, "/api/logs/patterns", **given, new_since=new_since, new_in=new_in)
        _print_patterns(found["patterns"], as_json)
    elif follow or (not simple and not count):
        from pilothouse.cli.log_streams import followed, streamed

        given["limit"] = limit
        if follow:
            followed(server, given, label or [], as_json)
        else:
            streamed(server, given | {"context": context or None}, label or [], as_json)
    elif count and not simple:
        _count(server, given)
    else:
        del given["query"], given["matches"], given["invert"]
        _simple(server, given | {"selector": text, "limit": limit, "count": "1" if count else None}, as_json)


def _files(words: list[str], grep: list[str] | None, matches: list[str] | None) -> list[Path]:
    """The files to search in, when that is what is asked."""
    named = [Path(word) for word in words]
    if not (grep or matches) or not named or not all(one.exists() or str(one) == "-" for one in named):
        return []
    return named


def _simple(server: str, given: dict[str, Any], as_json: bool) -> None:
    answer = ask(server, "/api/logs", **given)
    if given["count"]:
        typer.echo(answer["count"])
    elif as_json:
        print_lines(answer["logs"][::-1])
    else:
        _print(printable(answer["logs"][::-1]))


def _count(server: str, given: dict[str, Any]) -> None:
    typer.echo(ask(server, "/api/logs/query", **given, count="1")["count"])


def _print_price(price: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_lines([price])
        return
    typer.echo(f"{price['rows']:,} lines, {price['bytes'] / 1e6:,.1f} MB to read, about {price['seconds']:.2f} s")


def _print_patterns(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_lines(found)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for one in printable(found):
        line = Text(f"{one['total']:>9,} ", style="bold")
        line.append("new " if one["new"] else "    ", style="bold magenta").append(one["pattern"])
        console.print(line, soft_wrap=True)
    if not found:
        console.print("No line fits. Widen --since.", style="dim")


def _print(records: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.text import Text

    from pilothouse.cli.log_streams import NOTHING_FITS

    console = Console()
    for record in records:
        line = Text(record["time"][:23].replace("T", " "), style="dim")
        line.append(f" {record['severity'] or '-':<5} ", style=_COLOURS.get(record["severity"].upper(), ""))
        line.append(_who(record["resource"]), style="cyan").append(f" {record['body']}")
        for name, value in record["attributes"].items():
            line.append(f" {name}=", style="dim").append(str(value))
        console.print(line, soft_wrap=True)
    if not records:
        console.print(NOTHING_FITS, style="dim")


def _who(resource: dict[str, str]) -> str:
    name = resource.get("service.name", "?")
    version = resource.get("service.version", "")
    return f"{name}@{version}" if version else name
