"""`pilothouse promote`: take a version into an environment."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Output, Server, ask, printable, send, wants_json

_STYLES = {
    "deployed": "green", "rolled_back": "red", "failed": "red", "closed": "yellow", "superseded": "dim",
    "rolling_out": "cyan", "open": "cyan",
}  # fmt: skip
_ENDED = ("deployed", "rolled_back", "failed", "closed", "superseded")
_EPILOG = """Examples:

  pilothouse promote shop 1.4.0 --to production            opens the pull request, or writes where there is none

  pilothouse promote shop 1.4.0 --to production --dry-run  what would change in Kubernetes, and the hazards of it

  pilothouse promote shop 1.4.0 --to staging --onward      and from there through the environments after it

  pilothouse promote shop 1.4.0 --to production --wait     ends when it is deployed (0) or was not (1)"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("promote", epilog=_EPILOG)(promote)


def promote(
    service: Annotated[str, typer.Argument(help="The service.", show_default=False)],
    version: Annotated[str, typer.Argument(help="Its version, such as 1.4.0.", show_default=False)],
    to: Annotated[str, typer.Option("--to", metavar="ENV", help="The environment.", show_default=False)],
    onward: Annotated[bool, typer.Option("--onward", help="Go on to the next environment once deployed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end.")] = False,
    by: Annotated[str, typer.Option("--by", envvar="USER", help="Who asks; else $USER.")] = "",
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Take a version into an environment: by a pull request with the rendered difference and its hazards."""
    if dry_run:
        show_change(ask(server, f"/api/environments/{to}/change", service=service, version=version), output)
        return
    body = {"service": service, "version": version, "to": to, "by": by, "onward": onward}
    made = _settled(server, send(server, "/api/promotions", body), wait)
    if wants_json(output):
        typer.echo(json.dumps(made, ensure_ascii=False))
    else:
        show_promotion(printable(made))
    if wait and made["state"] != "deployed":
        raise typer.Exit(1)


def _settled(server: str, made: dict[str, Any], wait: bool) -> dict[str, Any]:
    """The promotion once its pull request is open, or with `wait` at its end."""
    from rich.console import Console

    console = Console(stderr=True)
    deadline = time.monotonic() + 10
    with console.status("opening") if console.is_terminal else _Quiet() as status:
        while True:
            made = ask(server, f"/api/promotions/{made['id']}")
            begun = made["state"] != "opening" or made["reason"] or time.monotonic() > deadline
            if made["state"] in _ENDED or (begun and not wait):
                return made
            if status is not None:
                status.update(f"{made['state'].replace('_', ' ')} {made['reason']}")
            time.sleep(0.2 if not begun else 1.0)


class _Quiet:
    """Stands for a progress display where nobody looks."""

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, *_: object) -> None:
        """Nothing."""


def show_promotion(one: dict[str, Any]) -> None:
    """A promotion with what happened to it, for a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    kind = "Rollback" if one["kind"] == "rollback" else "Promotion"
    head = Text(f"{kind} {one['id']}: {one['service']} {one['before'] or 'nothing'} → {one['version']} ")
    head.append(f"in {one['environment']}  ")
    head.append(one["state"].replace("_", " "), style=_STYLES.get(one["state"], ""))
    console.print(head)
    if one["reason"]:
        console.print(Text(f"  {one['reason']}"))
    if one["pull_request"] and one["pull_request"]["url"]:
        console.print(Text(f"  {one['pull_request']['url']}"))
    if one["blocked"]:
        console.print(Text(f"  hazards: {one['blocked']}", style="yellow"))
    for event in one.get("events", []):
        console.print(Text(f"  {event['at'][11:19]} {event['kind']:<12} {event['words']}", style="dim"))


def show_change(change: dict[str, Any], output: str | None) -> None:
    """What a promotion would change, for a terminal or as JSON."""
    if wants_json(output):
        typer.echo(json.dumps(change, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.syntax import Syntax
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    change = printable(change)
    was = change["before"] or "nothing"
    console.print(Text(f"{change['service']} in {change['environment']}: {was} → {change['version']}", style="bold"))
    console.print(Text(f"files: {', '.join(change['files']) or 'none'}"))
    rendered = ", ".join(change["rendered_by"]).replace("`", "")
    if rendered:
        count = "1 object changes" if change["objects"] == 1 else f"{change['objects']} objects change"
        console.print(Text(f"{count} in Kubernetes; rendered from {rendered}"))
    for problem in change["problems"]:
        console.print(Text(f"not rendered: {problem}", style="yellow"))
    if change["difference"]:
        if console.is_terminal:
            console.print(Syntax(change["difference"], "diff", background_color="default"))
        else:
            console.print(Text(change["difference"]))
    hazards = change["hazards"]
    console.print(Text(f"hazards: {hazards['summary']}", style="red" if hazards["blocking"] else ""))
    for one in hazards["new"]:
        console.print(Text(f"  {one['rule']} ({one['severity']}) {one['subject']}: {one['message']}"))
