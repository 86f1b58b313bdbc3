"""Asking a running server, with errors that say what to do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pilothouse.masking import masked
from pilothouse.signals.credentials import CertificateError, certificates, credentials

if TYPE_CHECKING:
    import httpx

DEFAULT_SERVER = "http://127.0.0.1:4000"
FAILED = 3
# Unicode's Control Pictures; the controls that it has no pictures for become the replacement character.
_VISIBLE = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | dict.fromkeys(
    range(127, 160), 0xFFFD
)

Server = Annotated[
    str,
    typer.Option("--server", envvar="PILOTHOUSE_SERVER", metavar="URL", help="Where Pilothouse runs."),
]
_TIMES = ("start", "end", "since", "at")
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="DURATION", help="How far back: 15m, 1h, 2d; or since 14:05, yesterday 14:00."),
]
Start = Annotated[str | None, typer.Option("--start", help="From: 14:05, yesterday 14:00, 2h (ago), RFC 3339.")]
End = Annotated[str | None, typer.Option("--end", help="Until: 14:05, yesterday 14:00, 1h (ago), RFC 3339.")]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FORMAT", help="table or json; json when piped."),
]


def ask(server: str, path: str, **parameters: Any) -> Any:
    """The JSON answer of an API call; parameters that are None are left out. Ends the program on an error."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return _answered(server, "GET", path, params=_here(given))


def send(server: str, path: str, body: Any = None) -> Any:
    """The JSON answer of a call that changes something. Ends the program on an error."""
    return _answered(server, "POST", path, json=_here(body) if isinstance(body, dict) else body or {})


def _here(given: dict[str, Any]) -> dict[str, Any]:
    """Clock times (`14:05`, `yesterday 14:00`) are those of the person's zone: the server may be in another."""
    told = {name: given[name] for name in _TIMES if isinstance(given.get(name), str) and given[name]}
    if not told:
        return given
    import time

    from pilothouse.signals.clocktimes import parse_clock

    now = time.time_ns()
    read = {name: parse_clock(text, now, None) for name, text in told.items()}
    return given | {name: str(moment // 1_000_000_000) for name, moment in read.items() if moment is not None}


def _answered(server: str, method: str, path: str, **request: Any) -> Any:
    try:
        return call(server, method, path, **request).json()
    except ValueError:
        fail(f"{server} answers, but not as a Pilothouse does")


def call(server: str, method: str, path: str, headers: dict[str, str] | None = None, **request: Any) -> httpx.Response:
    """The answer of a call that went well. Ends the program on an error."""
    import httpx

    shown = credentials() | (headers or {})
    with reaching(server):
        address, verify = f"{server.rstrip('/')}{path}", certificates(server)
        response = httpx.request(method, address, timeout=120, headers=shown, verify=verify, **request)
    if not response.is_success:
        fail(_message(response.text) or f"{server} answered {response.status_code}")
    return response


@contextmanager
def reaching(server: str) -> Iterator[None]:
    """For what asks a server. Ends the program, and says why, where there is no answer."""
    import httpx

    try:
        yield
    except CertificateError as error:
        fail(str(error))
    except httpx.InvalidURL as error:
        fail(f"{server} is not an address: {error}")
    except httpx.HTTPError as error:
        fail(unreachable(server, error))


_OURS = "a certificate of ours (PILOTHOUSE_CLIENT_CERTIFICATE)"


def unreachable(server: str, error: httpx.HTTPError) -> str:
    """Why there was no answer, and what to do, as far as it can be known."""
    import httpx

    said = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in said:
        reason = said.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or said
        return f"{server}: its certificate is not trusted ({reason}); name its authority's PEM file with SSL_CERT_FILE"
    if "CERTIFICATE_REQUIRED" in said or "HANDSHAKE_FAILURE" in said or "ALERT_UNKNOWN_CA" in said:
        return f"{server} does not let us in ({said}); it asks for {_OURS}"
    if "WRONG_VERSION_NUMBER" in said or "record layer failure" in said.lower():
        return f"{server} does not speak TLS; does its address begin with http://?"
    if isinstance(error, httpx.RemoteProtocolError):
        asked = "does it speak TLS (https://)?" if server.startswith("http://") else f"does it ask for {_OURS}?"
        return f"{server}: {said.rstrip('.')}; {asked}"
    if isinstance(error, httpx.ConnectError):
        return f"no Pilothouse answers at {server}; start one with `pilothouse up`, or say where with --server"
    return f"{server}: {said}"


def fail(message: str) -> NoReturn:
    """Say what is wrong on stderr and end with exit code 3."""
    typer.echo(f"pilothouse: {masked(message)}", err=True)
    raise typer.Exit(FAILED)


def wants_json(output: str | None) -> bool:
    """Whether to write JSON lines: asked for, or nobody is looking."""
    if output not in (None, "table", "json"):
        fail(f"--output: {output!r} is not table or json")
    return output == "json" or (output is None and not sys.stdout.isatty())


def printable(content: Any) -> Any:
    """An answer for a terminal: control characters in its texts made visible, so that a log line cannot move the
    cursor or colour what follows.
    """
    if isinstance(content, str):
        return content.translate(_VISIBLE)
    if isinstance(content, dict):
        return {printable(key): printable(value) for key, value in content.items()}
    return [printable(item) for item in content] if isinstance(content, list) else content


def print_lines(rows: list[Any]) -> None:
    """JSON lines on stdout; a reader that went away ends the program quietly."""
    try:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=ascii_only()) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        nobody_reads()
        raise typer.Exit(0) from None


def ascii_only() -> bool:
    """Whether stdout takes less than all of Unicode, so that JSON has to escape the rest."""
    return "utf" not in sys.stdout.encoding.lower()


@contextmanager
def unread() -> Iterator[None]:
    """For what is written before an exit code that says something: a reader that goes away changes nothing about it."""
    try:
        yield
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):
        # rich makes a SystemExit of it.
        nobody_reads()


def nobody_reads() -> None:
    """The reader of stdout went away: what is still to be written to it goes nowhere, and fails no more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""
