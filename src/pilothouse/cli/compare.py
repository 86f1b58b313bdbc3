"""`pilothouse compare`: is this version worse than the one before."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from pilothouse.cli.client import DEFAULT_SERVER, End, Server, Since, Start, ask, fail

_EXIT_CODES = {"no_worse": 0, "worse": 1, "cannot_tell": 2}
_FORMATS = ("text", "json", "markdown")
_EXAMPLES = (
    "Examples: pilothouse compare checkout 1.0.0 2.0.0 --since 30m  |  "
    "pilothouse compare checkout 1.0.0 2.0.0 --output markdown > comment.md"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", epilog=_EXAMPLES)(compare)


def compare(
    service: Annotated[str, typer.Argument(help="The service's name.", show_default=False)],
    baseline: Annotated[str, typer.Argument(help="The version to measure against.", show_default=False)],
    candidate: Annotated[str, typer.Argument(help="The version in question.", show_default=False)],
    since: Since = None,
    start: Start = None,
    end: End = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SELECTOR", help='Only a part: region="eu", k8s_pod_name=~"a.*".')
    ] = None,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="text, json or markdown.")] = "text",
    server: Server = DEFAULT_SERVER,
) -> None:
    """Is CANDIDATE worse than BASELINE? The verdict, with the evidence of all four signals.

    Exit code: 0 no worse, 1 worse, 2 cannot tell (it says what is missing), 3 an error.
    """
    if output not in _FORMATS:
        fail(f"--output: {output!r} is not {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}")
    answer = ask(
        server, "/api/compare", service=service, baseline=baseline, candidate=candidate, since=since, start=start,
        end=end, selector=where,
    )  # fmt: skip
    if output == "json":
        sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
    elif output == "markdown":
        from pilothouse.releases.report import to_markdown

        sys.stdout.write(to_markdown(answer, server))
    else:
        from rich.console import Console

        from pilothouse.releases.report import print_verdict

        print_verdict(Console(), answer, server)
    raise typer.Exit(_EXIT_CODES[answer["verdict"]])
