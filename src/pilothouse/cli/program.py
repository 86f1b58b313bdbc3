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
    "forge": ("forge", "The built-in forge: git repositories, people, tokens."),
    "pr": ("pr", "Pull requests, on the built-in forge and on any other."),
    "rollout": ("rollout", "Give a new version its traffic step by step."),
    "env": ("environments", "What runs where, and what is on its way there."),
    "slo": ("slo", "What services promise, and how fast they spend what they may miss."),
    "hazards": ("hazards", "Ask by symptom; what a watched cluster has; the catalogue."),
    "releases": ("releases", "The releases that the telemetry names."),
    "mesh": ("mesh", "The Service Mesh Interface: compile, check, explain, convert."),
    "token": ("tokens", "Who may do what: make, list and take back tokens."),
}


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
