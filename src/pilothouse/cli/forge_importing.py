"""Taking a repository that is somewhere else into the built-in forge: by pushing, as anybody would."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import typer

from pilothouse.cli.client import fail
from pilothouse.cli.forge_access import Asking, git

_ALL = ("refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*")


def push_all(asking: Asking, source: str, name: str, private: bool) -> None:
    """Make the repository and push all branches and tags of a clone or an address to it."""
    with tempfile.TemporaryDirectory() as directory:
        if not Path(source).exists():
            if "://" not in source and "@" not in source:
                fail(f"there is no {source}; say the path of a clone, or an address")
            typer.echo(f"fetching {source} ...", err=True)
            git("clone", "--quiet", "--bare", "--", source, directory)
            source = directory
        branches = git("-C", source, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
        if not branches:
            fail(f"{source} has no branches: commit something first")
        head = git("-C", source, "rev-parse", "--abbrev-ref", "HEAD")
        default = head if head in branches else branches[0]
        body = {"name": name, "private": private, "default_branch": default}
        url = asking.post("/repositories", body)["repository"]["clone_url"]
        typer.echo(f"pushing {len(branches)} branch{'es' if len(branches) > 1 else ''} ...", err=True)
        git("-C", source, "push", "--quiet", "--", url, *_ALL, environment=access(url, asking.token()))
    typer.echo(url)


def access(url: str, token: str) -> dict[str, str]:
    """The environment that lets git in at an address, with the token in no list of processes."""
    at = urlsplit(url)
    basic = base64.b64encode(f"token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{at.scheme}://{at.netloc}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
    }
