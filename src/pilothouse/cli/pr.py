"""`pilothouse pr`: pull requests of the built-in forge."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Output, Server, fail, print_lines, printable, wants_json
from pilothouse.cli.forge_access import Asking, Repository, Token, at, git, here

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

Number = Annotated[int, typer.Argument(min=1, help="Its number.", show_default=False)]


@app.callback()
def pull_requests() -> None:
    """Pull requests: ask for a merge, look, talk, review, merge."""


@app.command("create", epilog="Example: pilothouse pr create --title 'Faster carts' --base main")
def create(
    title: Annotated[
        str, typer.Option("--title", "-t", help="A line.", show_default="the last commit's first line")
    ] = "",
    body: Annotated[str, typer.Option("--body", "-b", help="What and why.")] = "",
    base: Annotated[
        str, typer.Option("--base", "-B", help="The branch to merge into.", show_default="the default one")
    ] = "",
    head: Annotated[
        str,
        typer.Option("--head", "-H", help="BRANCH, or OWNER:BRANCH of a fork.", show_default="the branch here"),
    ] = "",
    draft: Annotated[bool, typer.Option("--draft", help="Not ready yet.")] = False,
    output: Output = None,
    repository: Repository = None,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Ask to merge a branch that is pushed. Asked again for the same branch, it answers the open one."""
    head = head or git("branch", "--show-current")
    if not head:
        fail("no branch is checked out here: say --head BRANCH")
    title = title or git("log", "-1", "--format=%s")
    asked = {"head": head, "base": base, "title": title, "body": body, "draft": draft}
    made = Asking(server, token).post(f"{at(here(repository))}/pulls", asked)["pull"]
    if output == "json":
        print_lines([made])
    else:
        typer.echo(f"#{made['number']} {made['title']}: {made['head']['ref']} -> {made['base']['ref']}")


@app.command("list", epilog="Example: pilothouse pr list --state all")
def list_pulls(
    state: Annotated[str, typer.Option("--state", "-s", help="open, closed, merged or all.")] = "open",
    limit: Annotated[int, typer.Option("--limit", "-L", min=1, help="How many, newest first.")] = 30,
    output: Output = None,
    repository: Repository = None,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Pull requests, newest first."""
    as_json = wants_json(output)
    found = Asking(server, token).get(f"{at(here(repository))}/pulls", state=state, limit=limit)["pulls"]
    if as_json:
        print_lines(found)
    elif not found:
        typer.echo("no pull requests: push a branch, then pilothouse pr create", err=True)
    else:
        from pilothouse.cli.pr_view import table

        table(printable(found))


@app.command("show", epilog="Example: pilothouse pr show 7")
def show(
    number: Number,
    output: Output = None,
    repository: Repository = None,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """One pull request with its files, checks, reviews and comments."""
    as_json = wants_json(output)
    found = Asking(server, token).get(f"{at(here(repository))}/pulls/{number}")["pull"]
    if as_json:
        print_lines([found])
    else:
        from pilothouse.cli.pr_view import details

        details(printable(found))


@app.command("diff", epilog="Example: pilothouse pr diff 7 | less -R")
def diff(number: Number, repository: Repository = None, token: Token = None, server: Server = DEFAULT_SERVER) -> None:
    """Its changes as a unified diff; in colours on a terminal."""
    text = Asking(server, token).text(f"{at(here(repository))}/pulls/{number}/diff")
    if sys.stdout.isatty():
        from pilothouse.cli.pr_view import coloured

        coloured(printable(text))
    else:
        sys.stdout.write(text)


@app.command("comment", epilog="Example: pilothouse pr comment 7 '/lgtm'; pr comment 7 'Why?' --on src/cart.py:12")
def comment(
    number: Number,
    body: Annotated[
        str, typer.Argument(help="What to say; a command such as /lgtm begins a line.", show_default=False)
    ],
    on: Annotated[
        str, typer.Option("--on", metavar="PATH:LINE", help="A line of a changed file, as it is after the change.")
    ] = "",
    repository: Repository = None,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Say something of it, or of a line of it."""
    asked: dict[str, object] = {"body": body}
    if on:
        path, _, line = on.rpartition(":")
        if not path or not line.isdecimal():
            fail(f"--on {on}: say PATH:LINE, as src/cart.py:12")
        asked |= {"path": path, "line": int(line[:12])}
    said = Asking(server, token).post(f"{at(here(repository))}/pulls/{number}/comments", asked)["comment"]
    typer.echo(f"commented on {f'{on} of ' if on else ''}#{number} as {said['author']}")


@app.command("review", epilog="Example: pilothouse pr review 7 --approve --body 'Looks right'")
def review(
    number: Number,
    approve: Annotated[bool, typer.Option("--approve", "-a", help="It is good.")] = False,
    request_changes: Annotated[bool, typer.Option("--request-changes", "-r", help="Something has to change.")] = False,
    body: Annotated[str, typer.Option("--body", "-b", help="What you think.")] = "",
    repository: Repository = None,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Review it as it is now."""
    if approve and request_changes:
        fail("--approve and --request-changes: choose one")
    state = "approved" if approve else "changes_requested" if request_changes else "commented"
    asked = {"state": state, "body": body}
    said = Asking(server, token).post(f"{at(here(repository))}/pulls/{number}/reviews", asked)["review"]
    typer.echo(f"{said['state'].replace('_', ' ')} #{number} at {said['commit'][:10]} as {said['author']}")


@app.command("checkout", epilog="Example: pilothouse pr checkout 7")
def checkout(
    number: Number,
    repository: Repository = None,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Fetch it into the clone here and switch to its branch."""
    from pilothouse.cli.forge_importing import access

    asking, name = Asking(server, token), here(repository)
    pull = asking.get(f"{at(name)}/pulls/{number}")["pull"]
    url = asking.get(at(name))["repository"]["clone_url"]
    branch = pull["head"]["ref"] if pull["head"]["repository"] == name else f"pr-{number}"
    git("fetch", "--quiet", url, f"refs/pull/{number}/head", environment=access(url, asking.token()))
    git("switch", "--quiet", "-C" if _clean(branch, pull["head"]["sha"]) else "-c", branch, pull["head"]["sha"])
    typer.echo(f"#{number} is in {branch}, at {pull['head']['sha'][:10]}")


@app.command("merge", epilog="Example: pilothouse pr merge 7 --squash")
def merge(
    number: Number,
    squash: Annotated[bool, typer.Option("--squash", help="All of it as one commit.")] = False,
    rebase: Annotated[bool, typer.Option("--rebase", help="Its commits one by one, without a merge commit.")] = False,
    head: Annotated[str, typer.Option("--match-head", metavar="SHA", help="Only when this is still its head.")] = "",
    message: Annotated[str, typer.Option("--message", "-m", help="For the commit.")] = "",
    repository: Repository = None,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Merge it now, without the merge pool; needs write."""
    if squash and rebase:
        fail("--squash and --rebase: choose one")
    method = "squash" if squash else "rebase" if rebase else "merge"
    asked = {"action": "merge", "method": method, "head": head, "message": message}
    made = Asking(server, token).post(f"{at(here(repository))}/pulls/{number}", asked)
    typer.echo(f"merged #{number}: {made['pull']['base']['ref']} is at {made['sha'][:10]}")


@app.command("close", epilog="Example: pilothouse pr close 7")
def close(number: Number, repository: Repository = None, token: Token = None, server: Server = DEFAULT_SERVER) -> None:
    """Close it without merging."""
    _do(server, token, repository, number, "close")


@app.command("reopen", epilog="Example: pilothouse pr reopen 7")
def reopen(number: Number, repository: Repository = None, token: Token = None, server: Server = DEFAULT_SERVER) -> None:
    """Open it again."""
    _do(server, token, repository, number, "reopen")


@app.command("ready", epilog="Example: pilothouse pr ready 7")
def ready(number: Number, repository: Repository = None, token: Token = None, server: Server = DEFAULT_SERVER) -> None:
    """Make a draft ready."""
    _do(server, token, repository, number, "ready")


@app.command("why", epilog="Example: pilothouse pr why 7")
def why(
    number: Number,
    output: Output = None,
    repository: Repository = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Exactly why it does not merge, as `pilothouse delivery why` says it, with its exit codes."""
    from pilothouse.cli.delivery import why as explain

    explain(f"{here(repository)}#{number}", output, server)


def _do(server: str, token: str | None, repository: str | None, number: int, action: str) -> None:
    pull = Asking(server, token).post(f"{at(here(repository))}/pulls/{number}", {"action": action})["pull"]
    typer.echo(f"#{number} is {'a draft' if pull['draft'] else pull['state']}")


def _clean(branch: str, sha: str) -> bool:
    """Whether the branch here, if there is one, has nothing of its own that would be lost."""
    there = git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
    if not there:
        return False
    if git("rev-list", "--max-count=1", f"{sha}..{there}"):
        fail(f"{branch} has commits here that the pull request has not: push them, or rename the branch")
    return True
