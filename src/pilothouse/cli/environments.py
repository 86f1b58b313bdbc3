"""`pilothouse env`: what runs where, what differs from what is declared, and what is on its way."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Output, Server, ask, fail, print_lines, printable, send, wants_json
from pilothouse.cli.promote import show_change, show_promotion

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

Name = Annotated[str, typer.Argument(metavar="ENV", help="The environment's name.", show_default=False)]
Service = Annotated[str | None, typer.Option("--service", help="Only of this service.")]
Number = Annotated[int, typer.Argument(metavar="PROMOTION", help="The promotion's number.", show_default=False)]
By = Annotated[str, typer.Option("--by", envvar="USER", help="Who does it; else $USER.")]
_NONE = (
    "no environments: `pilothouse init` writes an environments.yaml; start the server with "
    "PILOTHOUSE_ENVIRONMENTS=OWNER/NAME:environments.yaml, or a path"
)
_STYLES = {"in sync": "green", "drifted": "red", "rolling out": "cyan", "silent": "dim", "unknown": "yellow"}


@app.callback()
def env() -> None:
    """What runs where, what differs from what is declared, and what is on its way."""


@app.command("list", epilog="Examples: pilothouse env list  |  pilothouse env list --service shop -o json")
def list_environments(service: Service = None, output: Output = None, server: Server = DEFAULT_SERVER) -> None:
    """The environments in their order, with the version of each service that is declared and that runs."""
    found = _environments(server, service)
    if wants_json(output):
        print_lines(found)
    elif not found:
        typer.echo(_NONE, err=True)
    else:
        _table(printable(found))


@app.command("show", epilog="Example: pilothouse env show production")
def show(name: Name, output: Output = None, server: Server = DEFAULT_SERVER) -> None:
    """One environment: where it is declared, its strategy, its services and their last promotions."""
    one = _named(_environments(server, None), name)
    if wants_json(output):
        typer.echo(json.dumps(one, ensure_ascii=False))
        return
    one = printable(one)
    typer.echo(f"{one['name']}: {one['strategy']}, {one['kind']}, declared in {one['source']}")
    typer.echo(f"  telemetry: deployment.environment.name={one['telemetry']}")
    typer.echo(f"  a new version gets its traffic {'step by step' if one['rollout'] else 'at once'}")
    if one["checks"]:
        typer.echo(f"  must be green: {', '.join(one['checks'])}")
    if one["problem"]:
        typer.echo(f"  cannot be read: {one['problem']}")
    _table([one])
    for service in one["services"]:
        if service["promotion"]:
            show_promotion(service["promotion"])


@app.command("drift", epilog="Examples: pilothouse env drift  |  pilothouse env drift production || echo look at it")
def drift(
    name: Annotated[str | None, typer.Argument(metavar="[ENV]", help="Only this environment.")] = None,
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Where what runs is not what is declared. Exit code: 0 nowhere, 1 somewhere, 3 an error."""
    found = _environments(server, None)
    chosen = [_named(found, name)] if name else found
    off = [one for environment in chosen for one in environment["services"] if one["state"] in ("drifted", "unknown")]
    if wants_json(output):
        print_lines(off)
    elif not found:
        typer.echo(_NONE, err=True)
    elif not off:
        typer.echo(_nowhere([one for environment in chosen for one in environment["services"]]))
    for one in printable(off) if not wants_json(output) else []:
        typer.echo(f"{one['environment']}: {one['service']}: {one['words']}")
    raise typer.Exit(1 if off else 0)


@app.command("diff", epilog="Example: pilothouse env diff production shop 1.4.0")
def diff(
    name: Name,
    service: Annotated[str, typer.Argument(help="The service.", show_default=False)],
    version: Annotated[str, typer.Argument(help="The version it would have.", show_default=False)],
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """What a version would change in an environment's Kubernetes objects, and the hazards that it would bring."""
    show_change(ask(server, f"/api/environments/{name}/change", service=service, version=version), output)


@app.command(
    "promotions", epilog="Examples: pilothouse env promotions  |  pilothouse env promotions --environment staging"
)
def promotions(
    service: Service = None,
    environment: Annotated[str | None, typer.Option("--environment", help="Only into this one.")] = None,
    ongoing: Annotated[bool, typer.Option("--ongoing", help="Only those that have not ended.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 20,
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Promotions and rollbacks, newest first."""
    asked = {"service": service, "environment": environment, "ongoing": "1" if ongoing else None, "limit": limit}
    found = ask(server, "/api/promotions", **asked)["promotions"]
    if wants_json(output):
        print_lines(found)
        return
    if not found:
        typer.echo("no promotions; begin one with `pilothouse promote SERVICE VERSION --to ENV`", err=True)
    for one in printable(found):
        show_promotion(one)


@app.command("promotion", epilog="Example: pilothouse env promotion 7")
def promotion(number: Number, output: Output = None, server: Server = DEFAULT_SERVER) -> None:
    """One promotion with everything that happened to it."""
    found = ask(server, f"/api/promotions/{number}")
    if wants_json(output):
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        show_promotion(printable(found))


@app.command("approve", epilog="Example: pilothouse env approve 7")
def approve(number: Number, by: By = "", server: Server = DEFAULT_SERVER) -> None:
    """Approve a promotion into a folder; one with a pull request is approved there."""
    show_promotion(printable(send(server, f"/api/promotions/{number}", {"action": "approve", "by": by})))


@app.command("cancel", epilog="Example: pilothouse env cancel 7")
def cancel(number: Number, by: By = "", server: Server = DEFAULT_SERVER) -> None:
    """End a promotion that is not merged yet."""
    show_promotion(printable(send(server, f"/api/promotions/{number}", {"action": "cancel", "by": by})))


@app.command("previews", epilog="Examples: pilothouse env previews  |  pilothouse env previews --stop 7")
def previews(
    stop: Annotated[int | None, typer.Option("--stop", metavar="PREVIEW", help="End this one.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended too.")] = False,
    by: By = "",
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """The pull requests that run now, where, and until when."""
    if stop is not None:
        found = [send(server, f"/api/previews/{stop}", {"action": "stop", "by": by})]
    else:
        found = ask(server, "/api/previews", live=None if everything else "1")["previews"]
    if wants_json(output):
        print_lines(found)
        return
    if not found:
        typer.echo("no previews; a `preview` section in .pilothouse.yaml makes them", err=True)
    for one in printable(found):
        where = one["url"] or one["reason"]
        until = f" until {one['expires'][:16].replace('T', ' ')} UTC" if one["state"] == "ready" else ""
        typer.echo(f"{one['id']}  {one['repository']} #{one['number']}  {one['state']}  {where}{until}")


def _nowhere(services: list[dict[str, Any]]) -> str:
    """That nothing is off, of what can be said at all."""
    silent = [f"{one['service']} in {one['environment']}" for one in services if one["state"] == "silent"]
    if not silent:
        return "what runs is what is declared"
    heard = "of the rest, what runs is what is declared; " if len(silent) < len(services) else ""
    return str(printable(f"{heard}nothing is heard of {', '.join(silent)}: whether that runs cannot be said"))


def _environments(server: str, service: str | None) -> list[dict[str, Any]]:
    found = ask(server, "/api/environments", service=service)["environments"]
    return list(found)


def _named(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    by_name = {one["name"]: one for one in found}
    if name not in by_name:
        fail(f"there is no environment {name!r}; there are {', '.join(by_name)}" if by_name else _NONE)
    return by_name[name]


def _table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("environment", "strategy", "service", "declared", "runs", "", box=None, header_style="dim")
    for one in found:
        for service in one["services"]:
            runs = ", ".join(f"{heard['version']} ({heard['instances']})" for heard in service["running"])
            state = Text(service["state"], style=_STYLES[service["state"]])
            if service["state"] in ("drifted", "unknown", "rolling out"):
                state.append(f": {service['words']}")
            table.add_row(
                Text(one["name"]), Text(one["strategy"]), Text(service["service"]), Text(service["declared"] or "-"),
                Text(runs or "-"), state,
            )  # fmt: skip
    Console().print(table)
