"""`pilothouse hazards`: ask by symptom, what a running server has found, and the catalogue."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Output, Server, ask, fail, print_lines, printable, wants_json

app = typer.Typer(no_args_is_help=True)

_PROMETHEUS = typer.Option("--prometheus", metavar="URL", help="Any Prometheus, instead of the Pilothouse server.")


@app.command("ask", epilog='Example: pilothouse hazards ask "dns is slow" --prometheus http://127.0.0.1:9090')
def ask_about(
    symptom: Annotated[list[str], typer.Argument(help="What you see, in your words.")],
    prometheus: Annotated[str, _PROMETHEUS] = "",
    server: Server = DEFAULT_SERVER,
    output: Output = None,
) -> None:
    """Say what you see; the metrics to look at are asked in order, and told what it is or is not."""
    from pilothouse.hazards.asking import as_dict, recognise, symptoms, verdict, walk
    from pilothouse.hazards.telemetry import Prometheus, TelemetryError

    found = recognise(" ".join(symptom))
    if found is None:
        known = "; ".join(one.title.lower() for one in symptoms())
        fail(f"no way to look is known for that; known are: {known}")
    source = Prometheus(prometheus or f"{server.rstrip('/')}/prometheus")
    try:
        looks = walk(found, source)
    except TelemetryError as error:
        fail(str(error))
    finally:
        source.close()
    if wants_json(output):
        typer.echo(json.dumps(as_dict(found, looks)))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    console.print(Text(found.title, "bold"))
    console.print(Text(found.about, "dim"))
    styles = {"yes": ("bold red", "yes"), "no": ("green", "no "), "unknown": ("yellow", "?  ")}
    for number, look in enumerate(looks, 1):
        style, word = styles[look.outcome]
        console.print(Text(f"{number:>2}. ") + Text(word, style) + Text(f"  {look.step.look}"))
        if look.outcome == "yes":
            console.print(Text(f"         {look.step.means}", "bold"))
            for row in look.rows[:3]:
                shown = ", ".join(f"{name}={value}" for name, value in row.labels.items() if name != "__name__")
                console.print(Text(f"         {printable(shown) or 'the cluster'} = {row.value:.4g}", "magenta"))
        elif look.reason:
            console.print(Text(f"         {look.reason}", "dim"))
    console.print(Text(verdict(looks), "bold"))


@app.command("list", epilog="Example: pilothouse hazards list --state hurting")
def list_found(
    state: Annotated[str | None, typer.Option("--state", help="latent, active, hurting, refuted.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", metavar="RULE", help="Only of this rule.")] = None,
    resolved: Annotated[bool, typer.Option("--resolved", help="Also those that are gone.")] = False,
    server: Server = DEFAULT_SERVER,
    output: Output = None,
) -> None:
    """What a server with --kube has found, with since when."""
    answer = ask(server, "/api/hazards", state=state, rule=rule, resolved="true" if resolved else None)
    if not answer["watching"]:
        fail("the server watches no cluster; start it with `pilothouse up --kube`")
    if wants_json(output):
        print_lines(answer["findings"])
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("severity", "state", "rule", "subject", "since", "what", box=None)
    for row in printable(answer["findings"]):
        cells = (row["severity"], row["state"], row["rule"], row["subject"], row["first_seen"][:19], row["message"])
        table.add_row(*map(Text, cells))
    Console().print(table)


@app.command("rules", epilog="Example: pilothouse hazards rules --family dns")
def rules(
    family: Annotated[str, typer.Option("--family", help="Only of this family.")] = "",
    output: Output = None,
) -> None:
    """All rules; `pilothouse check --explain RULE` tells one."""
    from pilothouse.hazards.loading import own_rules

    found = [rule for rule in own_rules() if not family or rule.family == family]
    if not found:
        fail(f"no family {family}; there are: {', '.join(sorted({rule.family for rule in own_rules()}))}")
    if wants_json(output):
        print_lines(
            [{"id": rule.id, "family": rule.family, "title": rule.title, "severity": str(rule.severity),
              "hurting": str(rule.hurting), "ways": list(rule.ways)} for rule in found]
        )  # fmt: skip
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("rule", "family", "severity", "when it hurts", "what", box=None)
    for rule in found:
        table.add_row(*map(Text, (rule.id, rule.family, str(rule.severity), str(rule.hurting), rule.title)))
    Console().print(table)
