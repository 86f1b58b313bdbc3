"""Puts the groups of verbs together."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

# Which module has which commands: a command that is called by its name needs no other, and starts in half the time.
_COMMANDS = {
    "up": ("up", "config"),
    "demo": ("demo",),
    "compare": ("compare", "why"),
    "check": ("check",),
    "logs": ("logs",),
    "metrics": ("metrics",),
    "traces": ("traces",),
    "run": ("run",),
    "promote": ("promote",),
    "init": ("init",),
    "backups": ("backup", "restore"),
    "doctor": ("doctor",),
    "tokens": ("audit",),
}
_GROUPS = {
    "collect": ("collect", "Follow log files or pods, profile processes; send it to a server."),
    "profiles": ("profiles", "Functions by cost, flame graphs, differences."),
    "rules": ("rules", "Prometheus' rules: check and test files, list a server's."),
    "pipeline": ("pipeline", "Tekton's pipelines, here: start, list, logs, describe, cancel."),
    "delivery": ("delivery", "Pull requests: why not merged, jobs, merge pools, replay."),
    "rollout": ("rollout", "Give a new version its traffic step by step."),
    "env": ("environments", "What runs where, and what is on its way there."),
    "slo": ("slo", "What services promise, and how fast they spend what they may miss."),
    "hazards": ("hazards", "Ask by symptom; what a watched cluster has; the catalogue."),
    "releases": ("releases", "The releases that the telemetry names."),
    "mesh": ("mesh", "The Service Mesh Interface: compile, check, explain, convert."),
    "token": ("tokens", "Who may do what: make, list and take back tokens."),
}


def program() -> typer.Typer:
    """The whole command."""


def program(asked: str = "") -> typer.Typer:
    """The whole command, or as much of it as `asked` (its first argument) needs."""
    app = typer.Typer(
        name="pilothouse",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Watches every release of a service: telemetry in, a verdict out.\n\n"
        "Start with [bold]pilothouse up[/bold], or see all of it with [bold]pilothouse demo[/bold].",
    )
    app.callback()(_options)
    known = asked in _GROUPS or any(asked in names for names in _COMMANDS.values())
    for module, names in _COMMANDS.items():
        if not known or asked in names:
            importlib.import_module(f"pilothouse.cli.{module}").register(app)
    for name, (module, words) in _GROUPS.items():
        if not known or asked == name:
            app.add_typer(importlib.import_module(f"pilothouse.cli.{module}").app, name=name, help=words)
    up.register(app)
    demo.register(app)
    compare.register(app)
    check.register(app)
    logs.register(app)
    metrics.register(app)
    traces.register(app)
    run.register(app)
    promote.register(app)
    app.add_typer(collect.app, name="collect", help="Follow log files or pods, profile processes; send it to a server.")
    app.add_typer(profiles.app, name="profiles", help="Functions by cost, flame graphs, differences.")
    app.add_typer(rules.app, name="rules", help="Prometheus' rules: check and test files, list a server's.")
    app.add_typer(pipeline.app, name="pipeline", help="Tekton's pipelines, here: start, list, logs, describe, cancel.")
    app.add_typer(delivery.app, name="delivery", help="Pull requests: why not merged, jobs, merge pools, replay.")
    app.add_typer(forge.app, name="forge", help="The built-in forge: git repositories, people, tokens.")
    app.add_typer(pr.app, name="pr", help="Pull requests of the built-in forge.")
    app.add_typer(rollout.app, name="rollout", help="Give a new version its traffic step by step.")
    app.add_typer(environments.app, name="env", help="What runs where, and what is on its way there.")
    app.add_typer(slo.app, name="slo", help="What services promise, and how fast they spend what they may miss.")
    app.add_typer(hazards.app, name="hazards", help="Ask by symptom; what a watched cluster has; the catalogue.")
    app.add_typer(releases.app, name="releases", help="The releases that the telemetry names.")
    app.add_typer(mesh.app, name="mesh", help="The Service Mesh Interface: compile, check, explain, convert.")
    backups.register(app)
    app.add_typer(tokens.app, name="token", help="Who may do what: make, list and take back tokens.")
    app.command("audit", epilog="Example: pilothouse audit --limit 20")(tokens.audit)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from pilothouse import __version__

        typer.echo(f"pilothouse {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watches every release of a service."""
