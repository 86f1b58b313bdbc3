"""`pilothouse forge`: the built-in forge's repositories and people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from pilothouse.cli.client import DEFAULT_SERVER, Output, Server, fail, print_lines, printable, wants_json
from pilothouse.cli.forge_access import Asking, Token, at

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
users = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog="Example: pilothouse forge user add ann --email ann@example.org",
)
app.add_typer(users, name="user", help="People of the forge.")

Name = Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository.", show_default=False)]
Login = Annotated[str, typer.Argument(help="Whose login.", show_default=False)]
May = Annotated[str, typer.Argument(help="none, read, triage, write or admin.", show_default=False)]


@app.callback()
def forge() -> None:
    """The built-in forge: git repositories and pull requests without another server."""


@app.command("create", epilog="Example: pilothouse forge create shop/cart --description 'What people buy'")
def create(
    name: Name,
    description: Annotated[str, typer.Option("--description", help="What it is.")] = "",
    private: Annotated[bool, typer.Option("--private", help="Only for those who are let in.")] = False,
    default_branch: Annotated[str, typer.Option("--default-branch", help="The main branch.")] = "main",
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Make a repository and print where to push to. An owner that nobody is becomes an organisation of yours."""
    body = {"name": name, "description": description, "private": private, "default_branch": default_branch}
    made = Asking(server, token).post("/repositories", body)["repository"]
    typer.echo(made["clone_url"])


@app.command("fork", epilog="Example: pilothouse forge fork shop/cart")
def fork(name: Name, token: Token = None, server: Server = DEFAULT_SERVER) -> None:
    """Make a repository of your own with all that another one has, and print where to push to."""
    made = Asking(server, token).post("/repositories", {"fork_of": name})["repository"]
    typer.echo(made["clone_url"])


@app.command("import", epilog="Example: pilothouse forge import ./cart shop/cart")
def import_repository(
    source: Annotated[str, typer.Argument(metavar="PATH", help="A clone, or an address.", show_default=False)],
    name: Name,
    private: Annotated[bool, typer.Option("--private", help="Only for those who are let in.")] = False,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Make a repository of what another one holds: all branches and tags."""
    from pilothouse.cli.forge_importing import push_all

    asking = Asking(server, token)
    push_all(asking, source, name, private)


@app.command("list", epilog="Example: pilothouse forge list --output json")
def list_repositories(output: Output = None, token: Token = None, server: Server = DEFAULT_SERVER) -> None:
    """The repositories that you may see."""
    as_json = wants_json(output)
    found = Asking(server, token).get("/repositories")["repositories"]
    if as_json:
        print_lines(found)
    elif not found:
        typer.echo("no repositories yet: pilothouse forge create OWNER/NAME", err=True)
    else:
        rows = [(one["name"], str(one["open_pulls"]), _kind(one), one["description"]) for one in printable(found)]
        _table(("repository", "open pull requests", "", "description"), rows)


@app.command("show", epilog="Example: pilothouse forge show shop/cart")
def show(name: Name, output: Output = None, token: Token = None, server: Server = DEFAULT_SERVER) -> None:
    """One repository: where to clone it from, branches, tags, people, what is protected."""
    as_json = wants_json(output)
    found = Asking(server, token).get(at(name))["repository"]
    if as_json:
        print_lines([found])
        return
    found = printable(found)
    protected = [f"{pattern} (push: {push})" for pattern, push in found["protected"].items()]
    said = {
        "clone": found["clone_url"],
        "default": found["default_branch"],
        "kind": _kind(found) or "public",
        "about": found["description"],
        "branches": ", ".join(f"{name} {sha[:10]}" for name, sha in found["branches"].items()),
        "tags": ", ".join(found["tags"]),
        "people": ", ".join(f"{login} ({may})" for login, may in found["collaborators"].items()),
        "protected": ", ".join(protected),
        "labels": ", ".join(found["labels"]),
        "milestones": ", ".join(found["milestones"]),
        "open": f"{found['open_pulls']} pull requests",
    }
    _table(None, [(word, value) for word, value in said.items() if value])


@app.command("allow", epilog="Example: pilothouse forge allow shop/cart bob write")
def allow(name: Name, login: Login, permission: May, token: Token = None, server: Server = DEFAULT_SERVER) -> None:
    """Say what somebody may do in a repository."""
    Asking(server, token).post(at(name), {"allow": login, "permission": permission})
    typer.echo(f"{login} may {permission} {name}")


@app.command("member", epilog="Example: pilothouse forge member shop cat read")
def member(
    organization: Annotated[str, typer.Argument(help="The organisation.", show_default=False)],
    login: Login,
    permission: May,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Let somebody into an organisation, with what he may do in all of its repositories; none ends it."""
    body = {"organization": organization, "login": login, "permission": permission}
    Asking(server, token).post("/members", body)
    typer.echo(f"{login} may {permission} what is {organization}'s")


@app.command("protect", epilog="Example: pilothouse forge protect shop/cart 'release-*' --push none")
def protect(
    name: Name,
    pattern: Annotated[str, typer.Argument(help="Branches: main, 'release-*'.", show_default=False)],
    push: Annotated[str, typer.Option("--push", help="Who may push: none, write, admin.")] = "write",
    remove: Annotated[bool, typer.Option("--remove", help="End the protection.")] = False,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Let branches only go forward, never away, and pushing be for some."""
    Asking(server, token).post(at(name), {"unprotect": pattern} if remove else {"protect": pattern, "push": push})
    typer.echo(f"{pattern} of {name} is {'free' if remove else 'protected'}")


@app.command("edit", epilog="Example: pilothouse forge edit shop/cart --default-branch trunk --private")
def edit(
    name: Name,
    description: Annotated[str | None, typer.Option("--description", help="What it is.")] = None,
    default_branch: Annotated[str, typer.Option("--default-branch", help="The main branch.")] = "",
    private: Annotated[bool | None, typer.Option("--private/--public", help="Who may see it.")] = None,
    archived: Annotated[
        bool | None, typer.Option("--archived/--active", help="Whether nobody pushes any more.")
    ] = None,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Change what a repository is said to be."""
    given: dict[str, Any] = {"description": description, "private": private, "archived": archived}
    asked = {word: value for word, value in given.items() if value is not None}
    if default_branch:
        asked["default_branch"] = default_branch
    if not asked:
        fail("say what to change: --description, --default-branch, --private, --archived")
    Asking(server, token).post(at(name), asked)
    typer.echo(f"changed {name}")


@app.command("delete", epilog="Example: pilothouse forge delete shop/cart --yes")
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Take a repository away with its pull requests, for good."""
    if not yes:
        typer.confirm(f"{name}, its branches and its pull requests will be gone. Delete it?", abort=True)
    Asking(server, token).post(at(name), {"delete": True})
    typer.echo(f"{name} is gone")


@app.command("token", epilog="Example: pilothouse forge token ann --name laptop --expires-in 90d")
def token_of(
    login: Login,
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="It changes nothing.")] = False,
    expires_in: Annotated[str, typer.Option("--expires-in", metavar="DURATION", help="How long it is good.")] = "",
    revoke: Annotated[int | None, typer.Option("--revoke", metavar="NUMBER", help="End this one instead.")] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Only list them, without their secrets.")] = False,
    output: Output = None,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Make a token for somebody. It is shown once; what is kept is its hash."""
    asking = Asking(server, token)
    if list_them:
        found = asking.get("/tokens", login=login)["tokens"]
        if wants_json(output):
            print_lines(found)
        else:
            rows = [(str(one["id"]), one["name"], "write" if one["may_write"] else "read") for one in printable(found)]
            _table(("number", "name", "may"), rows)
    elif revoke is not None:
        asking.post("/tokens", {"login": login, "revoke": revoke})
        typer.echo(f"token {revoke} of {login} is over")
    else:
        body: dict[str, Any] = {"login": login, "name": name, "read_only": read_only, "expires_in": expires_in}
        typer.echo(asking.post("/tokens", body)["token"])


@users.command("add", epilog="Example: pilothouse forge user add ann --email ann@example.org")
def add_user(
    login: Login,
    name: Annotated[str, typer.Option("--name", help="As commits have it.")] = "",
    email: Annotated[str, typer.Option("--email", help="As commits have it.")] = "",
    bot: Annotated[bool, typer.Option("--bot", help="A program; its comments are never commands.")] = False,
    admin: Annotated[bool, typer.Option("--admin", help="May do everything.")] = False,
    token: Token = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Add somebody, or change who is there, and print a token for a new one."""
    asking = Asking(server, token)
    known = {one["login"].lower() for one in asking.get("/users")["users"]}
    asking.post("/users", {"login": login, "name": name, "email": email, "bot": bot, "admin": admin})
    if login.lower() in known:
        typer.echo(f"changed {login}")
        return
    made = asking.post("/tokens", {"login": login, "name": "the first"})["token"]
    typer.echo(f"added {login}\ntoken: {made}")


@users.command("remove", epilog="Example: pilothouse forge user remove bob")
def remove_user(login: Login, token: Token = None, server: Server = DEFAULT_SERVER) -> None:
    """Take somebody away, with tokens and rights; what was said stays."""
    Asking(server, token).post("/users", {"remove": login})
    typer.echo(f"removed {login}")


@users.command("list", epilog="Example: pilothouse forge user list")
def list_users(output: Output = None, token: Token = None, server: Server = DEFAULT_SERVER) -> None:
    """All people of the forge."""
    as_json = wants_json(output)
    found = Asking(server, token).get("/users")["users"]
    if as_json:
        print_lines(found)
    else:
        rows = [(one["login"], one["name"], "bot" if one["is_bot"] else "") for one in printable(found)]
        _table(("login", "name", ""), rows)


def _kind(repository: dict[str, Any]) -> str:
    words = ["private"] if repository["private"] else []
    if repository["fork_of"]:
        words.append(f"fork of {repository['fork_of']}")
    return ", ".join(words)


def _table(head: tuple[str, ...] | None, rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*(head or ()), box=None, show_header=head is not None, padding=(0, 2, 0, 0))
    for row in rows:
        first = Text(row[0], style="" if head else "dim")
        table.add_row(first, *map(Text, row[1:]))
    Console().print(table)
