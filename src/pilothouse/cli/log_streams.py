"""Lines as the server finds them or as they come, each stream in a colour of its own."""

from __future__ import annotations

import json
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import typer

from pilothouse.cli.client import fail, print_lines, printable, unreachable
from pilothouse.signals.credentials import CertificateError, certificates, credentials

_COLOURS = (
    "cyan",
    "green",
    "yellow",
    "blue",
    "magenta",
    "bright_cyan",
    "bright_green",
    "bright_blue",
    "bright_magenta",
)
# Seconds: what is quicker needs no words.
_WORTH_SAYING = 1.0
NOTHING_FITS = "No line fits. Widen --since, or see what there is: pilothouse releases list"
_TRY_AGAIN = (0.2, 0.5, 1.0, 2.0, 5.0)


def pages(
    server: str, path: str, given: dict[str, Any], failed: Callable[[str], NoReturn] = fail
) -> Iterator[dict[str, Any]]:
    """The objects of a streaming answer; ends the program on an error, or does what `failed` does."""
    import httpx

    parameters = {name: value for name, value in given.items() if value is not None}
    timeout, began = httpx.Timeout(10, read=300), False
    try:
        address = f"{server.rstrip('/')}{path}"
        with httpx.stream(
            "GET", address, params=parameters, timeout=timeout, headers=credentials(), verify=certificates(server)
        ) as response:
            began = True
            if not response.is_success:
                failed(
                    _message(response.read().decode("utf-8", "replace")) or f"{server} answered {response.status_code}"
                )
            for line in response.iter_lines():
                row = json.loads(line) if line else {}
                if "error" in row:
                    failed(row["error"]["message"])
                yield row
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        fail(f"{server} is not an address: {error}")
    except CertificateError as error:
        fail(str(error))
    except ValueError:
        fail(f"{server} answers, but not as a Pilothouse does")
    except httpx.HTTPError as error:
        if began:
            raise
        failed(unreachable(server, error))


def streamed(server: str, given: dict[str, Any], labels: list[str], as_json: bool) -> None:
    """The newest lines, oldest of them first; says on stderr when there is more, and how to have it."""
    import httpx

    try:
        rows = list(watched(pages(server, "/api/logs/query", given)))
    except httpx.HTTPError as error:
        fail(f"{server}: {error or type(error).__name__}")
    found = [row["log"] for row in rows if "log" in row][::-1]
    _show(found, labels, as_json, bool(given.get("context")))
    if not found and not as_json:
        typer.echo(NOTHING_FITS, err=True)
    end = next((row["end"] for row in rows if "end" in row), None)
    if end and not end["complete"]:
        read = end["read"]["bytes"] / 1e9
        place = end["next"].get("end") or end["next"].get("start")
        typer.echo(f"stopped after {read:.1f} GB of lines; go on with --end {place}", err=True)


def watched(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows; on a terminal, what a question that takes long will read, and how much of it is done."""
    terminal, price, started, shown = sys.stderr.isatty(), 0, time.monotonic(), False
    for row in rows:
        if "price" in row:
            price = row["price"]["bytes"]
            if terminal and row["price"]["seconds"] > _WORTH_SAYING:
                typer.echo(f"up to {price / 1e9:.1f} GB to read, about {row['price']['seconds']:.0f} s", err=True)
        elif terminal and "progress" in row and time.monotonic() - started > _WORTH_SAYING:
            read = row["progress"]["read"]["bytes"]
            typer.echo(f"\r\x1b[Kread {read / 1e9:.1f} of up to {price / 1e9:.1f} GB", nl=False, err=True)
            shown = True
        yield row
    if shown:
        typer.echo("\r\x1b[K", nl=False, err=True)


def followed(server: str, given: dict[str, Any], labels: list[str], as_json: bool) -> None:
    """Lines as they come, until Ctrl-C; a server that restarts is found again."""
    import httpx

    last, attempt = "", 0
    at_last: list[dict[str, Any]] = []
    while True:
        try:
            for row in pages(server, "/api/logs/tail", given, _away if last else fail):
                attempt = 0
                # The last moment is asked for again after a break: more may have been said in it.
                if "log" not in row or row["log"] in at_last:
                    continue
                at_last = [*at_last, row["log"]] if row["log"]["time"] == last else [row["log"]]
                last = row["log"]["time"]
                _show([row["log"]], labels, as_json, context=False)
        except KeyboardInterrupt:
            raise typer.Exit(0) from None
        except (httpx.HTTPError, _AwayError) as error:
            if attempt == 0:
                typer.echo(f"the connection broke off, trying again ({error})", err=True)
        time.sleep(_TRY_AGAIN[min(attempt, len(_TRY_AGAIN) - 1)])
        attempt += 1
        if last:
            given = given | {"start": last, "since": None}


class _AwayError(Exception):
    """The server does not answer now."""


def _away(message: str) -> NoReturn:
    raise _AwayError(message)


def _show(found: list[dict[str, Any]], labels: list[str], as_json: bool, context: bool) -> None:
    if as_json:
        print_lines(found)
        return
    from rich.console import Console

    console = Console()
    for place, one in enumerate(printable(found)):
        if context and place:
            console.print("--", style="dim")
        for before in one.get("before", []):
            _line(console, before, labels, "-")
        _line(console, one, labels, ":")
        for after in one.get("after", []):
            _line(console, after, labels, "-")
    sys.stdout.flush()


def _line(console: Any, one: dict[str, Any], labels: list[str], mark: str) -> None:
    from rich.text import Text

    every = {**one["stream"], **one["metadata"], **one["parsed"]}
    colour = _COLOURS[zlib.crc32(json.dumps(sorted(one["stream"].items())).encode()) % len(_COLOURS)]
    who = " ".join(every.get(name.replace(".", "_"), "-") for name in labels) or every.get("service_name", "?")
    line = Text(one["time"][:23].replace("T", " "), style="dim").append(f" {who}", style=colour)
    line.append(f"{mark} ", style="dim").append(one["line"], style="" if mark == ":" else "dim")
    console.print(line, soft_wrap=True)


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""
