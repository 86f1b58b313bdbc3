"""`pilothouse demo`: the shop, a release, a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "demo", epilog="Examples: pilothouse demo --scenario leak; pilothouse demo --story release --once; echo $?"
    )(demo)


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the verdict; exit code 0 when it is the planted one.")
    ] = False,
    scenario: Annotated[
        str,
        typer.Option(
            help="What is wrong with the change: regression, slow, leak, errors, dns (in its manifests); or good."
        ),
    ] = "regression",
    story: Annotated[
        str,
        typer.Option(
            help="loop: from a pull request to a verdict in production; release: two versions side by side, a minute."
        ),
    ] = "loop",
    output: Annotated[str, typer.Option("--output", "-o", help="text or json.")] = "text",
    data: Annotated[Path | None, typer.Option(help="Keep the data here.", show_default="a temporary directory")] = None,
    http: Annotated[str, typer.Option(metavar="HOST:PORT", help="Page and API.")] = "127.0.0.1:4000",
    otlp_grpc: Annotated[str, typer.Option(metavar="HOST:PORT", help="OTLP over gRPC.")] = "127.0.0.1:4317",
    otlp_http: Annotated[str, typer.Option(metavar="HOST:PORT", help="OTLP over HTTP.")] = "127.0.0.1:4318",
) -> None:
    """Take a change with a planted fault from its pull request to the verdict that rolls it back, on this machine."""
    try:
        from pilothouse.demo import DemoOptions, run_demo
    except ModuleNotFoundError as error:
        typer.echo(f"pilothouse: the demo needs {error.name}: pip install 'pilothouse[demo]'", err=True)
        raise typer.Exit(3) from None

    try:
        options = DemoOptions(
            once=once,
            scenario=scenario,
            story=story,
            data=data,
            http=http,
            otlp_grpc=otlp_grpc,
            otlp_http=otlp_http,
            output=output,
        )
    except ValueError as error:
        typer.echo(f"pilothouse: {error}", err=True)
        raise typer.Exit(3) from None
    raise typer.Exit(run_demo(options))
