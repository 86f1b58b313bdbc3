"""`pilothouse rollout`: give a new version its traffic step by step, judged at each of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Output, Server, ask, fail, printable, send, wants_json

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

Number = Annotated[int, typer.Argument(metavar="ROLLOUT", help="The rollout's number.", show_default=False)]
By = Annotated[str | None, typer.Option("--by", envvar="USER", help="Who does it; else $USER.")]
Note = Annotated[str | None, typer.Option("--note", help="Why; it is kept.")]

_STYLES = {"succeeded": "green", "rolled_back": "red", "rolling_back": "red", "paused": "yellow", "running": "cyan"}
_MARKS = {"done": "✓", "now": "▶", "paused": "‖", "failed": "✗", "waiting": "·", "skipped": " "}
_EXIT_CODES = {"rolled_back": 1, "rolling_back": 1}


@app.callback()
def rollout() -> None:
    """Give a new version its traffic step by step, judged at each of them."""


@app.command(
    "start",
    epilog="Examples: pilothouse rollout start checkout.yaml  |  pilothouse rollout start canary.yaml --dry-run  |  "
    "pilothouse rollout start flagger-canary.yaml --hook http://127.0.0.1:9000/weights --candidate 2.0.0",
)
def start(
    file: Annotated[Path, typer.Argument(help="The plan, ours, Flagger's, Argo's or Kayenta's; - is stdin.")],
    service: Annotated[str | None, typer.Option("--service", help="Instead of the plan's service.")] = None,
    baseline: Annotated[str | None, typer.Option("--baseline", help="What serves now; found if not said.")] = None,
    candidate: Annotated[str | None, typer.Option("--candidate", help="The new version, else the newest.")] = None,
    hook: Annotated[str | None, typer.Option("--hook", metavar="URL", help="What shifts traffic over HTTP.")] = None,
    requests: Annotated[
        int | None, typer.Option("--requests", help="At each step that is held, wait for so many of the new version's.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    by: By = None,
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Start a rollout from a plan. It goes on in the server; look at it with `rollout status`."""
    body: dict[str, Any] = {"plan": _read(file), "dry_run": dry_run}
    body |= {"service": service, "baseline": baseline, "candidate": candidate, "by": by}
    body["requests"] = requests
    if hook:
        body["traffic"] = {"by": "http", "url": hook}
    made = send(server, "/api/rollouts", {name: value for name, value in body.items() if value not in (None, False)})
    if wants_json(output):
        typer.echo(json.dumps(made, ensure_ascii=False))
    elif dry_run:
        plan = made["plan"]
        typer.echo(f"{plan['service']}: {plan['candidate']} in the place of {plan['baseline']}")
        for place, words in enumerate(made["steps"], 1):
            typer.echo(f"  {place}. {words}")
        for words in plan["not_mapped"]:
            typer.echo(f"  does not map: {words}")
    else:
        _print(made)


@app.command("status", epilog="Examples: pilothouse rollout status  |  pilothouse rollout status 7  |  "
             "pilothouse rollout status --service checkout")  # fmt: skip
def status(
    number: Annotated[int | None, typer.Argument(metavar="[ROLLOUT]", help="Its number; else the newest.")] = None,
    service: Annotated[str | None, typer.Option("--service", help="Only of this service.")] = None,
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """How far a rollout is, and everything that was decided, with the reasons.

    Exit code: 0 it goes on or has succeeded, 1 rolled back, 3 an error.
    """
    if number is None:
        found = ask(server, "/api/rollouts", service=service, limit=1)["rollouts"]
        if not found:
            fail("there is no rollout yet; start one with `pilothouse rollout start FILE`")
        number = found[0]["id"]
    one = ask(server, f"/api/rollouts/{number}")
    if wants_json(output):
        typer.echo(json.dumps(one, ensure_ascii=False))
    else:
        _print(one)
    raise typer.Exit(_EXIT_CODES.get(one["state"], 0))


@app.command("pause", epilog="Example: pilothouse rollout pause 7 --note 'looking at the errors'")
def pause(number: Number, by: By = None, note: Note = None, server: Server = DEFAULT_SERVER) -> None:
    """Leave the traffic as it is until somebody resumes, promotes or aborts."""
    _act(server, number, "pause", by, note)


@app.command("resume", epilog="Example: pilothouse rollout resume 7")
def resume(number: Number, by: By = None, note: Note = None, server: Server = DEFAULT_SERVER) -> None:
    """Go on with the step at hand, and judge it again."""
    _act(server, number, "resume", by, note)


@app.command("promote", epilog="Examples: pilothouse rollout promote 7  |  pilothouse rollout promote 7 --full")
def promote(
    number: Number,
    full: Annotated[bool, typer.Option("--full", help="To the last step, with all of the traffic.")] = False,
    by: By = None,
    note: Note = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Take the step at hand for done, whatever the judge says."""
    _act(server, number, "promote", by, note, full=full)


@app.command("abort", epilog="Example: pilothouse rollout abort 7 --note 'wrong build'")
def abort(number: Number, by: By = None, note: Note = None, server: Server = DEFAULT_SERVER) -> None:
    """Give all traffic back to the old version."""
    _act(server, number, "abort", by, note)


def _act(server: str, number: int, action: str, by: str | None, note: str | None, **more: Any) -> None:
    given = {"action": action, "by": by, "note": note} | more
    made = send(server, f"/api/rollouts/{number}", {name: value for name, value in given.items() if value is not None})
    typer.echo(f"rollout {number}: {printable(made['events'][-1]['words'])}; now {made['state'].replace('_', ' ')}")


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: {error.strerror if isinstance(error, OSError) else 'is not text'}")


def _print(one: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.text import Text

    console, one = Console(), printable(one)
    state = one["state"].replace("_", " ")
    console.print(
        Text.assemble(
            (f" {state.upper()} ", f"{_STYLES.get(one['state'], '')} reverse"), " ",
            (f"rollout {one['id']}: {one['service']} {one['candidate']} in the place of {one['baseline']}", "bold"),
        )
    )  # fmt: skip
    if one["reason"]:
        console.print(Text(one["reason"]))
    for place, step in enumerate(one["steps"], 1):
        style = "dim" if step["state"] == "waiting" else ""
        so_far = f" ({step['served']} requests so far)" if step.get("served") is not None else ""
        console.print(Text(f"  {_MARKS[step['state']]} {place}. {step['words']}{so_far}", style=style))
    for words in one["not_mapped"]:
        console.print(Text.assemble(("  does not map: ", "yellow"), words))
    for event in one.get("events", [])[-20:]:
        who = "" if event["by"] == "pilothouse" else f" ({event['by']})"
        console.print(Text.assemble((f"  {event['at'][11:19]} ", "dim"), event["words"], (who, "dim")))
