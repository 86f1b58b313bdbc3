"""`pilothouse delivery`: pull requests and why they do not merge, jobs, merge pools, and what other rules would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Output, Server, ask, fail, printable, reaching, wants_json

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

Repository = Annotated[str | None, typer.Option("--repository", "-R", help="Only of OWNER/NAME.", show_default=False)]
_MARKS = {"success": "✓", "failure": "✗", "error": "✗", "aborted": "‖", "runs": "▶"}


@app.callback()
def delivery() -> None:
    """Pull requests on their way to the branch: jobs, approvals, the merge pool, and why not."""


@app.command(
    "pulls", epilog="Examples: pilothouse delivery pulls  |  pilothouse delivery pulls -R acme/shop --state merged"
)
def pulls(
    repository: Repository = None,
    state: Annotated[str, typer.Option("--state", help="open, closed or merged.")] = "open",
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Pull requests, each with what it waits for."""
    found = ask(server, "/api/delivery/pulls", repository=repository, state=state)["pulls"]
    if wants_json(output):
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        why = one["why"][0] if one["why"] else "nothing stands against its merge" if state == "open" else ""
        more = f" (and {len(one['why']) - 1} more)" if len(one["why"]) > 1 else ""
        typer.echo(printable(f"{one['repository']}#{one['number']}  {one['title']}  ({one['author']})"))
        if why:
            typer.echo(printable(f"    {why}{more}"))
    if not found:
        typer.echo(f"no pull request is {state}")


@app.command("why", epilog="Example: pilothouse delivery why acme/shop#7")
def why(
    pull: Annotated[
        str,
        typer.Argument(
            metavar="[OWNER/NAME#]N",
            help="The pull request; in a clone of its repository the number.",
            show_default=False,
        ),
    ],
    output: Output = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Exactly why a pull request does not merge, and why its jobs ran or did not.

    Exit code: 0 nothing stands against its merge, 1 something does, 3 an error.
    """
    from pilothouse.cli.pr_asking import meant

    repository, _, number = pull.rpartition("#")
    if not number.isdigit():
        fail(f"{pull!r}: write it as OWNER/NAME#N, as acme/shop#7, or as the number alone in a clone of it")
    repository = repository or meant(None, server).repository
    found = ask(server, f"/api/delivery/pulls/{repository}/{number}/why")
    if wants_json(output):
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _print(found)
    raise typer.Exit(0 if found["merges"] or found["state"] == "merged" else 1)


def _print(found: dict[str, Any]) -> None:
    typer.echo(printable(f"{found['repository']}#{found['number']} {found['title']} ({found['state']})"))
    for reason in found["reasons"]:
        typer.echo(printable(f"  {'✓' if found['state'] == 'merged' else '✗'} {reason}"))
    if not found["reasons"]:
        typer.echo("  ✓ nothing stands against its merge")
    if found["pool"]["words"]:
        typer.echo(printable(f"  merge pool: {found['pool']['words']}"))
    if found["pool"]["batch"]:
        typer.echo("  the last batch with it that failed:")
    for one in found["pool"]["batch"]:
        typer.echo(printable(f"    {one['words']}"))
    for job in found["jobs"]:
        typer.echo(printable(f"  {_MARKS.get(job['state'], '·')} {job['job']}: {job['words']}"))
    for one in found["records"]:
        typer.echo(printable(f"    {one['words']}"))


@app.command("pools", epilog="Example: pilothouse delivery pools")
def pools(output: Output = None, server: Server = DEFAULT_SERVER) -> None:
    """The merge pools: who waits in which order, what is tested now, and what was done last."""
    found = ask(server, "/api/delivery/pools")["pools"]
    if wants_json(output):
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        typer.echo(printable(f"{one['repository']} {one['branch']} at {one['base'][:12]}"))
        queue = ", ".join(f"#{each['number']}" for each in one["queue"]) or "nobody"
        typer.echo(f"  waiting: {queue}")
        for tree in one["testing"]:
            typer.echo(f"  tested together: {', '.join(f'#{number}' for number in tree['changes'])}")
        for each in one["history"][-5:]:
            numbers = ", ".join(f"#{number}" for number in each["changes"])
            typer.echo(printable(f"  {each['what']} {numbers}: {each['words']}"))
    if not found:
        typer.echo("no branch has a merge pool yet")


@app.command("jobs", epilog="Example: pilothouse delivery jobs -R acme/shop")
def jobs(repository: Repository = None, output: Output = None, server: Server = DEFAULT_SERVER) -> None:
    """Jobs, newest first; each is a run that `pilothouse pipeline logs RUN` shows."""
    found = ask(server, "/api/delivery/jobs", repository=repository, limit=50)["jobs"]
    if wants_json(output):
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        where = f"#{one['number']}" if one["number"] else one["branch"]
        typer.echo(
            printable(
                f"{_MARKS.get(one['state'], '▶')} {one['job']} {where} {one['kind']} {one['run']} {one['description']}"
            )
        )
    if not found:
        typer.echo("no job was started yet")


@app.command("decisions", epilog="Example: pilothouse delivery decisions > decisions.jsonl")
def decisions(repository: Repository = None, server: Server = DEFAULT_SERVER) -> None:
    """Everything that was decided, with what it was decided from, as JSON lines: for `delivery replay`."""
    import httpx

    from pilothouse.signals.credentials import certificates, credentials

    with reaching(server), httpx.stream(
        "GET", f"{server.rstrip('/')}/api/delivery/decisions", timeout=120, headers=credentials(),
        verify=certificates(server), params={"repository": repository} if repository else {},
    ) as answer:  # fmt: skip
        if not answer.is_success:
            fail(f"{server} answered {answer.status_code}")
        for line in answer.iter_lines():
            typer.echo(line)


@app.command(
    "replay",
    epilog="Examples: pilothouse delivery decisions > decisions.jsonl; pilothouse delivery replay decisions.jsonl "
    "--config .  |  pilothouse delivery replay decisions.jsonl --config ../new --all",
)
def replay(
    events: Annotated[Path, typer.Argument(help="What `delivery decisions` wrote.", show_default=False)],
    config: Annotated[
        Path, typer.Option("--config", help="A directory with the new OWNERS, .tekton, .prow.yaml, .pilothouse.")
    ],
    everything: Annotated[bool, typer.Option("--all", help="Also where nothing differs.")] = False,
    repository: Repository = None,
    output: Output = None,
) -> None:
    """What would have happened with other rules: every decision taken again from what it was taken from.

    Exit code: 0 nothing would differ, 1 something would, 3 an error.
    """
    from pilothouse.delivery.acting.loading import is_rule, rules_of
    from pilothouse.delivery.acting.replaying import replay as again

    if not config.is_dir():
        fail(f"{config} is no directory: give one with OWNERS, .tekton and the like")
    texts = {}
    for file in sorted(config.rglob("*")):
        path = file.relative_to(config).as_posix()
        if is_rule(path) and file.is_file():
            texts[path] = file.read_text(encoding="utf-8", errors="replace")
    if not texts:
        typer.echo(
            f"{config} has no OWNERS, .tekton, .prow.yaml or .pilothouse: nothing is owned or tested there", err=True
        )
    rules = rules_of(texts, "")
    for problem in [
        *rules.config.broken,
        *(f"{path}: {why}" for path, why in rules.owners.broken),
        rules.settings.broken,
    ]:
        if problem:
            typer.echo(printable(f"{problem}"), err=True)
    try:
        found = list(again(events.read_text(encoding="utf-8").splitlines(), rules, repository or ""))
    except OSError as error:
        fail(f"{events}: {error.strerror}: `pilothouse delivery decisions` writes such a file")
    except ValueError as error:
        fail(f"{events}: {error}")
    different = [one for one in found if one.differs]
    if len(names := sorted({one.repository for one in found})) > 1:
        told = f"decisions of {', '.join(names)}, all taken by the rules of {config}: --repository takes one of them"
        typer.echo(printable(told), err=True)
    shown = found if everything else different
    if wants_json(output):
        typer.echo(json.dumps([one.to_json() for one in shown], ensure_ascii=False))
    else:
        for one in shown:
            typer.echo(printable(f"{one.repository}#{one.number} {one.event} by {one.author}"))
            for effect in one.did:
                if effect not in one.would:
                    typer.echo(_hanging(f"  - {effect}"))
            for effect in one.would:
                if effect not in one.did:
                    typer.echo(_hanging(f"  + {effect}"))
        typer.echo(f"{len(found)} decisions, {len(different)} would have been other ones")
    raise typer.Exit(1 if different else 0)


def _hanging(text: str) -> str:
    """What has several lines, as a comment, keeps its lines below its mark."""
    return "\n".join(printable(line if at == 0 else f"    {line}") for at, line in enumerate(text.splitlines()) if line)
