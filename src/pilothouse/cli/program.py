"""Puts the groups of verbs together."""

from __future__ import annotations

from typing import Annotated

import typer


def program() -> typer.Typer:
    """The whole command."""
    from pilothouse.cli import (
        backups,
        check,
        collect,
        compare,
        delivery,
        demo,
        doctor,
        environments,
        hazards,
        logs,
        mesh,
        metrics,
        pipeline,
        profiles,
        promote,
        releases,
        rollout,
        rules,
        run,
        slo,
        tokens,
        traces,
        up,
    )

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
    app.add_typer(rollout.app, name="rollout", help="Give a new version its traffic step by step.")
    app.add_typer(environments.app, name="env", help="What runs where, and what is on its way there.")
    app.add_typer(slo.app, name="slo", help="What services promise, and how fast they spend what they may miss.")
    app.add_typer(hazards.app, name="hazards", help="Ask by symptom; what a watched cluster has; the catalogue.")
    app.add_typer(releases.app, name="releases", help="The releases that the telemetry names.")
    app.add_typer(mesh.app, name="mesh", help="The Service Mesh Interface: compile, check, explain, convert.")
    backups.register(app)
    doctor.register(app)
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
