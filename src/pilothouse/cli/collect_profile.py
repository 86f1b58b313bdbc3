"""`pilothouse collect profile`: a process that has no profiler of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Server, fail
from pilothouse.cli.collecting import labels_of, stopping

EPILOG = (
    "Examples: pilothouse collect profile --pid 4242 --service checkout --version 2.0.0  |  "
    "pilothouse collect profile --service checkout -- python serve.py"
)


def profile(
    command: Annotated[list[str] | None, typer.Argument(help="A program to start and profile, after `--`.")] = None,
    pid: Annotated[int | None, typer.Option("--pid", "-p", help="A process that runs already.")] = None,
    service: Annotated[str, typer.Option(help="Its service.name; else OTEL_SERVICE_NAME or the program's.")] = "",
    version: Annotated[str, typer.Option(help="Its service.version: the release.")] = "",
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="NAME=VALUE", help="A resource attribute; repeatable.")
    ] = None,
    tool: Annotated[str, typer.Option("--with", help="py-spy (Python), perf (anything), or auto.")] = "auto",
    rate: Annotated[int, typer.Option(min=1, max=1000, help="Samples a second.")] = 100,
    period: Annotated[float, typer.Option(min=1, max=600, help="Seconds in a profile.")] = 10.0,
    duration: Annotated[float, typer.Option(min=0, help="Seconds to profile; 0: until it ends.")] = 0.0,
    idle: Annotated[bool, typer.Option("--idle", help="Also threads that wait (py-spy): wall time.")] = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Profile a process from outside and send a profile every ten seconds: py-spy for Python, else perf.

    Who it is comes from its own OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, unless said here.
    """
    from pilothouse.signals.collecting import profiling

    if (pid is None) == (not command):
        fail("say either --pid PID, or a command after `--`")
    if tool not in profiling.TOOLS:
        fail(f"--with: {tool!r} is not one of {', '.join(profiling.TOOLS)}")
    given = {"service.name": service, "service.version": version}
    labels = {name: text for name, text in given.items() if text} | labels_of(label)
    stop = stopping()
    started = None
    try:
        if command:
            started = profiling.run_command(command)
        number = started.pid if started else pid or 0
        target = profiling.Target(number, profiling.labels_of(number, labels))
        chosen = profiling.tool_for(number, tool)
        typer.echo(f"profiling {target.labels['service.name']} (process {number}) with {chosen}", err=True)
        collector = profiling.ProfileCollector(server, target, chosen, rate, period, idle, stop.is_set)
        collector.run(max(round(duration / period), 1) if duration else 0)
        typer.echo(f"sent {collector.sent} profiles", err=True)
    except profiling.ProfilingError as error:
        fail(str(error))
    finally:
        if started and started.poll() is None:
            started.terminate()
    if started and started.wait():
        raise typer.Exit(started.returncode if started.returncode > 0 else 0)
