"""`pilothouse run`: a Tekton file, here and now."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pilothouse.cli.client import fail

if TYPE_CHECKING:
    from pilothouse.delivery.pipelines.asking import Ask, Asked
    from pilothouse.delivery.pipelines.local import Where

_EXAMPLES = (
    "Examples: pilothouse run ci.yaml  |  pilothouse run ci.yaml build -p version=1.2 -w source=.  |  "
    "pilothouse run ci.yaml --dry-run  |  pilothouse run ci.yaml --executor sandbox"
)

Params = Annotated[
    list[str] | None,
    typer.Option(
        "--param", "-p", metavar="NAME=VALUE", help="A parameter; k=a,b for an array, k=a:1,b:2 for an object."
    ),
]
Workspaces = Annotated[
    list[str] | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar="NAME=DIR",
        help="A workspace: src=., or name=src with claimName=, emptyDir=, config=, secret=, subPath=.",
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data", envvar="PILOTHOUSE_DATA", help="Where state and logs are.", show_default="~/.local/share/pilothouse"
    ),
]
Database = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="PILOTHOUSE_DATABASE",
        metavar="URL",
        help="SQLAlchemy URL of the state.",
        show_default="SQLite in the data directory",
    ),
]
Executor = Annotated[
    str, typer.Option("--executor", envvar="PILOTHOUSE_EXECUTOR", help="process, sandbox, containers or kubernetes.")
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image",
        metavar="NAME=SPEC",
        help="What an image means here: builder=like=golang, tool=entrypoint=/opt/tool, base=root=/srv/rootfs.",
    ),
]
Output = Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="text or json.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", epilog=_EXAMPLES)(run)


def run(
    file: Annotated[
        Path, typer.Argument(help="A file or directory with Tekton YAML; - for stdin.", show_default=False)
    ],
    name: Annotated[
        str,
        typer.Argument(
            help="Which object to run, where there are several.", show_default="all runs, or the last Pipeline or Task"
        ),
    ] = "",
    param: Params = None,
    workspace: Workspaces = None,
    file_too: Annotated[
        list[Path] | None, typer.Option("--filename", "-f", help="More files that the run refers to.")
    ] = None,
    executor: Executor = "process",
    image: Images = None,
    pass_env: Annotated[
        list[str] | None, typer.Option("--pass-env", metavar="NAME", help="A variable of this shell that steps get.")
    ] = None,
    network: Annotated[
        bool, typer.Option("--network/--no-network", help="Whether a sandbox or container has a network.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="DURATION", help="For the whole run: 1h30m, 90s, 0 for none.")
    ] = "",
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="How many tasks at once.")] = 64,
    strict: Annotated[
        bool, typer.Option("--strict", help="Hold to what a cluster allows: 4 KiB of results a step.")
    ] = False,
    cache: Annotated[bool, typer.Option("--cache", help="Take results of tasks whose inputs did not change.")] = False,
    breakpoint: Annotated[
        bool, typer.Option("--breakpoint", help="Stop where a step fails, with a shell there.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the run's directories.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run, as a graph; run nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Without the output of steps.")] = False,
    telemetry: Annotated[
        str,
        typer.Option(
            "--telemetry",
            envvar="PILOTHOUSE_OTLP",
            metavar="URL",
            help="Send the run as logs, spans and metrics: http://127.0.0.1:4318.",
        ),
    ] = "",
    data: Data = None,
    database: Database = "",
    output: Output = "text",
) -> None:
    """Run Tekton YAML on this machine, with live output. A Pipeline or Task runs on the code in the current directory.

    Exit code: 0 succeeded, 1 failed, 3 cannot be run.
    """
    from pilothouse.delivery.pipelines.asking import Ask, data_directory
    from pilothouse.delivery.pipelines.local import Where

    ask = Ask(
        files=[file, *(file_too or [])], wanted=name, params=param or [], workspaces=workspace or [], timeout=timeout
    )
    where = Where(
        data_directory(data),
        database,
        executor,
        image or [],
        pass_env or [],
        jobs,
        strict,
        keep,
        breakpoint,
        network or executor == "process",
        cache,
        telemetry,
    )
    if dry_run:
        show_plan(ask, output)
        return
    perform(ask, where, quiet=quiet, output=output)


def perform(ask: Ask, where: Where, *, quiet: bool, output: str) -> None:
    """Run, show, and end with the exit code of the run."""
    from pilothouse.delivery.pipelines.errors import PipelineError
    from pilothouse.delivery.pipelines.local import run_all
    from pilothouse.delivery.pipelines.terminal import Terminal

    terminal = Terminal(sys.stderr if output == "json" else sys.stdout, quiet=quiet)
    where.listeners.append(terminal)
    if where.telemetry:
        from pilothouse.delivery.pipelines.telemetry import Telemetry

        where.listeners.append(Telemetry(where.telemetry))

    def told(asked: Asked) -> None:
        for note in asked.notes:
            terminal.note(note)

    try:
        done = run_all(ask, where, told)
    except PipelineError as error:
        fail(str(error))
    good = True
    for found, task_runs in done:
        body = found.to_object()
        good = good and found.condition.succeeded
        if output == "json":
            sys.stdout.write(json.dumps({**body, "taskRuns": task_runs}, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(terminal.tree(body, task_runs) + "\n")
    raise typer.Exit(0 if good else 1)


def show_plan(ask: Ask, output: str) -> None:
    """What would run."""
    from pilothouse.delivery.pipelines.errors import PipelineError
    from pilothouse.delivery.pipelines.planning import plan

    try:
        plans = plan(ask)
    except PipelineError as error:
        fail(str(error))
    for one in plans:
        shown: Any = json.dumps(one.to_json(), ensure_ascii=False) if output == "json" else one.drawn()
        sys.stdout.write(f"{shown}\n")
