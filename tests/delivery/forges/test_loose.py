"""Commits and refs that are written without git are those that git writes, and git finds nothing wrong with them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pilothouse.delivery.forges.local import differing, loose
from pilothouse.delivery.forges.local.git import Git
from pilothouse.delivery.forges.model import User

_AT = "1700000000 +0100"


@pytest.fixture
def git(tmp_path: Path) -> Git:
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path)], check=True)
    return Git(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [("Ann", "Add\n"), (" Ann <ann>\n, Jr.", "two\n\nparts"), ("Zoë Ünal", "é"), ("'.,", "x"), ("a" * 9000, "")],
)
def test_it_is_the_commit_that_git_makes(git: Git, name: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1700000500.0)
    tree, who = git.text("mktree"), User("ann", name, "<ann@example.org>")
    first = loose.write_commit(git.directory, tree, [], message, who, User("bot", "Bot", "bot@example.org"), _AT)
    second = loose.write_commit(git.directory, tree, [first], message, who, who)
    assert git.text("fsck", "--strict", "--no-dangling") == ""
    assert git.commit(second) == second
    assert git.tree(second) == tree
    if name.strip("'.,"):
        environ = {
            "GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": "<ann@example.org>", "GIT_AUTHOR_DATE": _AT,
            "GIT_COMMITTER_NAME": "Bot", "GIT_COMMITTER_EMAIL": "bot@example.org",
            "GIT_COMMITTER_DATE": "1700000500 +0000",
        }  # fmt: skip
        assert git.text("commit-tree", tree, given=message.encode(), environ=environ) == first


def test_a_ref_that_git_locks_is_left_to_git(git: Git) -> None:
    commit = loose.write_commit(git.directory, git.text("mktree"), [], "x", User("a"), User("a"))
    git.set_ref("refs/pull/1/head", commit)
    assert git.text("rev-parse", "refs/pull/1/head") == commit
    lock = git.directory / "refs/pull/1/head.lock"
    lock.touch()
    assert not loose.write_ref(git.directory, "refs/pull/1/head", commit)
    lock.unlink()
    git.run("pack-refs", "--all")
    git.set_ref("refs/pull/1/head", commit)
    assert git.text("rev-parse", "refs/pull/1/head") == commit


def test_a_change_whose_hunks_are_too_many_still_has_its_files(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    blob = git.text("hash-object", "-w", "--stdin", given=b"line\n" * 100)
    tree = git.text("mktree", given=f"100644 blob {blob}\tfile\n".encode())
    monkeypatch.setattr(differing, "_MOST_PATCH", 100)
    (found,) = differing.changed_files(git, git.text("mktree"), tree)
    assert (found.path, found.additions, found.patch) == ("file", 100, "")
