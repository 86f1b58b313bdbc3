"""`pilothouse init`: the first files of a repository."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.client import fail

_EPILOG = """Examples:

  pilothouse init                        in a repository: writes what it lacks, overwrites nothing

  pilothouse init --dry-run              only says what it would write

  pilothouse init ../shop --service shop --owner ann --owner bob --registry ghcr.io/acme"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init", epilog=_EPILOG)(init)


def init(
    directory: Annotated[Path, typer.Argument(help="The repository.", show_default="here")] = Path(),
    service: Annotated[str, typer.Option("--service", help="Its service.name.", show_default="the directory's")] = "",
    owner: Annotated[list[str] | None, typer.Option("--owner", help="Who may approve; again for more.")] = None,
    registry: Annotated[str, typer.Option("--registry", help="Where its images are.")] = "registry.example.org",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be written.")] = False,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="text or json.")] = "text",
) -> None:
    """Write the first files: a pipeline that tests, OWNERS, Kubernetes manifests, environments, .pilothouse.yaml."""
    from pilothouse.delivery.projects.starting import begin

    if output not in ("text", "json"):
        fail(f"--output: {output!r} is not text or json")
    if not directory.is_dir():
        fail(f"{directory}: there is no such directory")
    login = os.environ.get("USER", "")
    owners = owner or ([login] if login and login != "root" else [])
    try:
        begun = begin(directory, service, owners, registry, dry_run)
    except OSError as error:
        fail(f"{error.filename or directory}: {error.strerror or error}")
    found = begun.detected
    if output == "json":
        said = {"service": begun.service, "language": found.language, "because": found.because, "test": found.test,
                "written": list(begun.written), "kept": list(begun.kept), "dry_run": dry_run}  # fmt: skip
        typer.echo(json.dumps(said))
        return
    what = f"{found.language} ({found.because})" if found.language else "a repository without a language that I know"
    typer.echo(f"{begun.service} is {what}; it is tested by: {found.test.replace(chr(10), '; ')}")
    for path in begun.written:
        typer.echo(f"  {'would write' if dry_run else 'wrote'} {path}")
    for path in begun.kept:
        typer.echo(f"  kept {path}, which was there")
    if begun.written and not dry_run:
        _next(begun.written, owners)


def _next(written: tuple[str, ...], owners: list[str]) -> None:
    typer.echo("Next:")
    typer.echo("  pilothouse run .tekton/test.yaml -w source=.   tests it here and now")
    if any(path.startswith("deploy/") for path in written):
        typer.echo(
            "  pilothouse check deploy/                       the hazards of its manifests: none, until you change them"
        )
    if "OWNERS" in written:
        whom = f"approvers: {', '.join(owners)}" if owners else "nobody yet: add logins of your forge"
        typer.echo(f"  look at OWNERS                                 {whom}")
    if "environments.yaml" in written:
        typer.echo("  PILOTHOUSE_ENVIRONMENTS=OWNER/NAME:environments.yaml pilothouse up     releases go through them")
    typer.echo("  git add . && git commit -m 'feat: deliver with Pilothouse' && git push")
