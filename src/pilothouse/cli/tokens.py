"""`pilothouse token` and `pilothouse audit`: who may do what, and who did."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilothouse.cli.client import Output, Server, ask, fail, print_lines, printable, wants_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.server.access.tokens import Token, TokenStore

app = typer.Typer(no_args_is_help=True)
_CONFIG = typer.Option("--config", metavar="FILE", help="TOML file.", show_default="pilothouse.toml, if there")
_DATA = typer.Option("--data", help="The server's data directory.", show_default="as `pilothouse up` has it")
_SCOPE = typer.Option("--scope", "-s", help="ingest, read, act or admin; may be repeated.")
_TENANT = typer.Option("--tenant", help="Good for this tenant alone.", show_default="any")
_EXPIRES = typer.Option("--expires", metavar="DURATION", help="How long it is good: 90d.", show_default="for ever")


@app.command(
    epilog="Example: pilothouse token create ci --scope act --expires 90d\n\n"
    "ingest sends telemetry, read asks, act also changes releases, rollouts and pipelines, admin does everything. "
    "The token goes to stdout, once; only its hash is kept."
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is known by in lists and the audit log.")],
    scope: Annotated[list[str], _SCOPE],
    tenant: Annotated[str, _TENANT] = "",
    expires: Annotated[str | None, _EXPIRES] = None,
    data: Annotated[Path | None, _DATA] = None,
    config: Annotated[Path | None, _CONFIG] = None,
) -> None:
    """Make a token; a running server knows it at once."""
    from pilothouse.server.access.tokens import TokenError
    from pilothouse.signals.errors import BadRequestError
    from pilothouse.signals.timerange import parse_duration

    with _store(config, data) as store:
        try:
            lifetime = parse_duration(expires, "--expires") if expires else None
            text, made = store.create(name, scope, tenant, lifetime)
        except (TokenError, BadRequestError) as error:
            fail(str(error))
    if sys.stdout.isatty():
        typer.echo(f"{made.name} ({made.id}) may {', '.join(made.scopes)}. This is shown once:", err=True)
    typer.echo(text)


@app.command("list", epilog="Example: pilothouse token list --output json")
def list_(
    sessions: Annotated[bool, typer.Option("--sessions", help="Also who is signed in on the page.")] = False,
    data: Annotated[Path | None, _DATA] = None,
    config: Annotated[Path | None, _CONFIG] = None,
    output: Output = None,
) -> None:
    """List the tokens; their texts are not known to anybody but who has them."""
    with _store(config, data) as store:
        rows = [_row(token) for token in store.all(sessions)]
    if wants_json(output):
        print_lines(rows)
        return
    _print(rows, ("id", "name", "scopes", "tenant", "created", "expires"), "No tokens.")


@app.command(epilog="Example: pilothouse token secret --namespace pilothouse | kubectl apply -f -")
def secret(
    name: Annotated[str, typer.Option("--name", help="The Secret's name.")] = "pilothouse-tokens",
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Its namespace.")] = "pilothouse",
) -> None:
    """Print a Kubernetes Secret with fresh tokens, as the Helm chart wants it: admin, read, and the agents'."""
    import re

    from pilothouse.server.access.token_files import new_token

    for text in (name, namespace):
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", text):
            fail(f"{text!r} is not a name in Kubernetes: lower-case letters, digits, - and .")
    made = {who: new_token()[0] for who in ("admin", "read", "agent")}
    lines = [f"{who} {'ingest' if who == 'agent' else who} {token}" for who, token in made.items()]
    typer.echo(
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  namespace: {namespace}\ntype: Opaque\n"
        "stringData:\n  tokens: |\n" + "".join(f"    {line}\n" for line in lines) + f"  agent: {made['agent']}\n"
        f"  admin: {made['admin']}\n  read: {made['read']}"
    )


@app.command(epilog="Example: pilothouse token revoke ci")
def revoke(
    which: Annotated[str, typer.Argument(metavar="ID|NAME", help="As `pilothouse token list` shows it.")],
    data: Annotated[Path | None, _DATA] = None,
    config: Annotated[Path | None, _CONFIG] = None,
) -> None:
    """Take a token back; a running server refuses it within five seconds."""
    from pilothouse.server.access.tokens import TokenError

    with _store(config, data) as store:
        try:
            gone = store.revoke(which)
        except TokenError as error:
            fail(str(error))
    for token in gone:
        typer.echo(f"{token.name} ({token.id}) is good for nothing now.")


def register(app: typer.Typer) -> None:
    """Add the command that is none of `token`'s."""
    app.command("audit", epilog="Example: pilothouse audit --limit 20")(audit)


def audit(
    server: Server = "http://127.0.0.1:4000",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many.")] = 50,
    output: Output = None,
) -> None:
    """Who changed what, the newest first."""
    acts = ask(server, "/api/audit", limit=limit)["acts"]
    if wants_json(output):
        print_lines(acts)
        return
    rows = [printable(act) | {"status": str(act["status"]), "at": act["at"][:19].replace("T", " ")} for act in acts]
    _print(rows, ("at", "caller", "address", "method", "path", "status"), "Nothing was changed yet.")


def _print(rows: list[dict[str, str]], columns: tuple[str, ...], nothing: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        Console().print(nothing)
        return
    table = Table(box=None, header_style="dim")
    for place, column in enumerate(columns):
        # What a line is known by stays whole, the rest is folded: nothing is cut off.
        table.add_column(column, no_wrap=not place, overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[column] or "") for column in columns))
    Console().print(table)


def _row(token: Token) -> dict[str, str]:
    from pilothouse.signals.timerange import to_rfc3339

    expires = "" if token.expires is None else to_rfc3339(token.expires)[:19] + "Z"
    return {
        "id": token.id, "name": token.name, "scopes": " ".join(token.scopes), "tenant": token.tenant or "any",
        "created": to_rfc3339(token.created)[:19] + "Z", "expires": "expired" if token.expired else expires or "never",
    }  # fmt: skip


@contextmanager
def _store(file: Path | None, data: Path | None) -> Iterator[TokenStore]:
    from sqlalchemy.exc import SQLAlchemyError

    from pilothouse.control.opening import open_database
    from pilothouse.server.access.tokens import TokenStore
    from pilothouse.server.config import ConfigError, control_database, load

    try:
        config = load({"data": data}, file).config
        config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = open_database(control_database(config))
    except (ConfigError, OSError) as error:
        fail(str(error))
    except SQLAlchemyError as error:
        fail(f"the control plane's database cannot be opened: {str(error.args[0]) if error.args else error}")
    try:
        yield TokenStore(database)
    finally:
        database.dispose()
