"""`pilothouse pr`: pull requests, of the built-in forge and of any other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Output, Server, fail, print_lines, printable, wants_json
from pilothouse.cli.forge_access import Repository, Token, git
from pilothouse.cli.pr_asking import meant, pulls

if TYPE_CHECKING:
    from pilothouse.delivery.forges.model import MergeMethod, ReviewState

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

Number = Annotated[int, typer.Argument(min=1, help="Its number.", show_default=False)]


@app.callback()
def pull_requests() -> None:
    """Pull requests: ask for a merge, look, talk, review, merge.

    In a clone from GitHub, GitLab, Forgejo or Gitea they are asked for there, as you: with the token of --token, else
    of GITHUB_TOKEN, GITLAB_TOKEN or FORGEJO_TOKEN, of git's credential helper, or of the configuration.
    """


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
    with pulls(repository, token, server) as there:
        made = there.create(asked)
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
    with pulls(repository, token, server) as there:
        found = there.list(state, limit)
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
    with pulls(repository, token, server) as there:
        found = there.pull(number)
    if as_json:
        print_lines([found])
    else:
        from pilothouse.cli.pr_view import details

        details(printable(found))


@app.command("diff", epilog="Example: pilothouse pr diff 7 | less -R")
def diff(number: Number, repository: Repository = None, token: Token = None, server: Server = DEFAULT_SERVER) -> None:
    """Its changes as a unified diff; in colours on a terminal."""
    with pulls(repository, token, server) as there:
        text = there.diff(number)
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
    path, _, line = on.rpartition(":")
    if on and (not path or not line.isdecimal()):
        fail(f"--on {on}: say PATH:LINE, as src/cart.py:12")
    with pulls(repository, token, server) as there:
        author = there.comment(number, body, path, int(line[:12] or 0))
    typer.echo(f"commented on {f'{on} of ' if on else ''}#{number} as {author}")


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
    state: ReviewState = "approved" if approve else "changes_requested" if request_changes else "commented"
    with pulls(repository, token, server) as there:
        said = there.review(number, state, body)
    typer.echo(f"{said['state'].replace('_', ' ')} #{number} at {said['commit'][:10]} as {said['author']}")


@app.command("checkout", epilog="Example: pilothouse pr checkout 7")
def checkout(
    number: Number,
    repository: Repository = None,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Fetch it into the clone here and switch to its branch."""
    with pulls(repository, token, server) as there:
        pull, head = there.pull(number), there.head(number)
    branch = pull["head"]["ref"] if pull["head"]["repository"] == pull["base"]["repository"] else f"pr-{number}"
    git("fetch", "--quiet", head.url, head.ref, environment=head.environment)
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
    """Merge it now, without the merge pool; for who may write."""
    if squash and rebase:
        fail("--squash and --rebase: choose one")
    method: MergeMethod = "squash" if squash else "rebase" if rebase else "merge"
    with pulls(repository, token, server) as there:
        pull, sha = there.merge(number, method, head, message)
    typer.echo(f"merged #{number}: {pull['base']['ref']} is at {sha[:10]}")


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

    explain(f"{meant(repository, server).repository}#{number}", output, server)


def _do(server: str, token: str | None, repository: str | None, number: int, action: str) -> None:
    with pulls(repository, token, server) as there:
        pull = there.change(number, action)
    typer.echo(f"#{number} is {'a draft' if pull['draft'] else pull['state']}")


def _clean(branch: str, sha: str) -> bool:
    """Whether the branch here, if there is one, has nothing of its own that would be lost."""
    there = git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
    if not there:
        return False
    if git("rev-list", "--max-count=1", f"{sha}..{there}"):
        fail(f"{branch} has commits here that the pull request has not: push them, or rename the branch")
    return True
