"""`pilothouse compare`: is this version worse than the one before."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from pilothouse.cli.client import DEFAULT_SERVER, End, Server, Since, Start, ascii_only, ask, fail, unread

_EXIT_CODES = {"no_worse": 0, "worse": 1, "cannot_tell": 2}
_FORMATS = ("text", "json", "markdown", "junit")
_EXAMPLES = (
    "Examples: pilothouse compare checkout 1.0.0 2.0.0 --since 30m  |  "
    "pilothouse compare checkout 1.0.0 2.0.0 --output markdown > comment.md"
)

_WHY = "Examples: pilothouse why checkout --at 20m  |  pilothouse why checkout --at 2026-11-25T14:05:00Z --around 5m"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", epilog=_EXAMPLES)(compare)
    app.command("why", epilog=_WHY)(why)


def compare(
    service: Annotated[str, typer.Argument(help="The service's name.", show_default=False)],
    baseline: Annotated[str, typer.Argument(help="The version to measure against.", show_default=False)] = "",
    candidate: Annotated[str, typer.Argument(help="The version in question.", show_default=False)] = "",
    since: Since = None,
    start: Start = None,
    end: End = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SELECTOR", help='Only a part: region="eu", k8s_pod_name=~"a.*".')
    ] = None,
    baseline_where: Annotated[
        str | None, typer.Option("--baseline-where", metavar="SELECTOR", help='Narrows only the baseline: region="eu".')
    ] = None,
    candidate_where: Annotated[
        str | None, typer.Option("--candidate-where", metavar="SELECTOR", help='Only the candidate: region="us".')
    ] = None,
    migration: Annotated[
        bool, typer.Option("--migration", help="The service's old home against Kubernetes, by request mix.")
    ] = False,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORMAT", help="text, json, markdown or junit.")
    ] = "text",
    server: Server = DEFAULT_SERVER,
) -> None:
    """Is CANDIDATE worse than BASELINE? The verdict, with the evidence of all four signals.

    Exit code: 0 no worse, 1 worse, 2 cannot tell (it says what is missing), 3 an error.
    """
    _checked(output)
    answer = ask(
        server, "/api/compare", service=service, baseline=baseline or None, candidate=candidate or None, since=since,
        start=start, end=end, selector=where, baseline_where=baseline_where, candidate_where=candidate_where,
        kind="migration" if migration else None,
    )  # fmt: skip
    with unread():
        show(answer, output, server)
    raise typer.Exit(_EXIT_CODES[answer["verdict"]])


def why(
    service: Annotated[str, typer.Argument(help="The service's name.", show_default=False)],
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="When it began: yesterday 14:00, 20m (ago), RFC 3339.")
    ],
    around: Annotated[str, typer.Option("--around", metavar="DURATION", help="How long after it to look.")] = "15m",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORMAT", help="text, json, markdown or junit.")
    ] = "text",
    server: Server = DEFAULT_SERVER,
) -> None:
    """What changed in SERVICE at a time, why, and what else changed then: releases, settings, events, dependencies.

    Exit code: 0 nothing got worse, 1 something did, 2 cannot tell, 3 an error.
    """
    _checked(output)
    answer = ask(server, "/api/why", service=service, at=at, around=around)
    with unread():
        show(answer, output, server)
    raise typer.Exit(_EXIT_CODES[answer["verdict"]])


def show(answer: dict[str, Any], output: str, server: str) -> None:
    """A comparison in the format asked for."""
    if output == "json":
        sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=ascii_only()) + "\n")
        return
    from pilothouse.releases import report

    if output == "text":
        from rich.console import Console

        report.print_verdict(Console(), answer, server)
    else:
        sys.stdout.write(report.to_markdown(answer, server) if output == "markdown" else report.to_junit(answer))


def _checked(output: str) -> None:
    if output not in _FORMATS:
        fail(f"--output: {output!r} is not {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}")
