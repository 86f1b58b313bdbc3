"""`pilothouse collect`: log files, pods and profiles, sent to a server."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Server, fail
from pilothouse.cli.collect_profile import EPILOG, profile
from pilothouse.cli.collecting import labels_of, stopping

app = typer.Typer(no_args_is_help=True, help="Follow log files or pods, profile processes, and send it to a server.")

State = Annotated[
    Path | None, typer.Option("--state", metavar="FILE", help="Where to remember how far each file was sent.")
]
Once = Annotated[bool, typer.Option("--once", help="Send what is there, then end.")]


@app.command("files", epilog="Example: pilothouse collect files '/var/log/app/*.log' --label service.name=app")
def files(
    patterns: Annotated[list[str], typer.Argument(help="Files, or patterns such as '/var/log/**/*.log'.")],
    form: Annotated[str, typer.Option("--format", help="plain, cri, docker or container (either).")] = "plain",
    multiline: Annotated[
        str, typer.Option("--multiline", metavar="REGEX", help="What a record's first line matches; others join it.")
    ] = "",
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="NAME=VALUE", help="A resource attribute; repeatable.")
    ] = None,
    from_end: Annotated[bool, typer.Option("--from-end", help="Skip what is in a file when it is first seen.")] = False,
    once: Once = False,
    state: State = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Follow files through rotation and truncation; resumes where it stopped."""
    from pilothouse.signals.collecting.containers import of_file, of_pod_file

    chosen = of_pod_file if form in ("cri", "container") else of_file
    labels = labels_of(label)
    _collect(patterns, form, multiline, lambda path: {**chosen(path), **labels}, not from_end, once, state, server)


@app.command("kube", epilog="Example: pilothouse collect kube -n shop -l app=checkout")
def kube(
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Only this namespace.")] = "",
    selector: Annotated[str, typer.Option("--selector", "-l", help="Only pods with these labels.")] = "",
    node_files: Annotated[
        Path | None,
        typer.Option(
            "--node-files", metavar="DIRECTORY", help="Read the node's files (as a DaemonSet): /var/log/pods."
        ),
    ] = None,
    since: Annotated[str, typer.Option("--since", help="How far back a container's log is read first.")] = "10m",
    once: Once = False,
    state: State = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Follow the containers of pods, through the API or from the node's files, across restarts."""
    if node_files:
        from pilothouse.signals.collecting.containers import of_pod_file

        pattern = f"{node_files}/{namespace or '*'}_*/*/*.log"
        _collect([pattern], "container", "", of_pod_file, True, once, state, server)
        return
    from pilothouse.kube import ConnectionFailedError
    from pilothouse.kube.connecting import connection
    from pilothouse.signals.collecting.kube import KubeCollector
    from pilothouse.signals.collecting.sending import Sender, SendingError
    from pilothouse.signals.credentials import CertificateError
    from pilothouse.signals.timerange import parse_duration

    try:
        client = connection().client()
    except ConnectionFailedError as error:
        fail(str(error))
    stop = stopping()
    try:
        sender = Sender(server, stop.is_set)
        KubeCollector(client, sender, namespace, selector, int(parse_duration(since)), once, stop.is_set).run()
    except (CertificateError, SendingError) as error:
        fail(str(error))


def _collect(patterns, form, multiline, describe, from_start, once, state, server) -> None:  # type: ignore[no-untyped-def]
    import re

    from pilothouse.signals.collecting.files import FileCollector
    from pilothouse.signals.collecting.formats import FORMATS
    from pilothouse.signals.collecting.sending import Sender, SendingError

    if form not in FORMATS:
        fail(f"--format: {form!r} is not one of {', '.join(FORMATS)}")
    try:
        re.compile(multiline)
    except re.error as error:
        fail(f"--multiline: {multiline!r} is not a regular expression: {error}")
    stop = stopping()
    place = state or _state(patterns)
    try:
        sender = Sender(server, stop.is_set)
        FileCollector(patterns, sender, place, describe, form, multiline, from_start, once, stop.is_set).run()
    except (SendingError, OSError, ValueError, KeyError) as error:
        fail(str(error))
    typer.echo(f"sent {sender.sent} lines", err=True)


def _state(patterns: list[str]) -> Path:
    """One file for each set of patterns, where programs keep their state (XDG Base Directory Specification)."""
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    name = hashlib.sha256("\0".join(sorted(patterns)).encode()).hexdigest()[:12]
    return base / "pilothouse" / f"collect-{name}.json"


app.command("profile", epilog=EPILOG)(profile)
