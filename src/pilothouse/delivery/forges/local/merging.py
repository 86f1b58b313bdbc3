"""Merges without a working tree, by `git merge-tree --write-tree` (git 2.38 and later)."""

from __future__ import annotations

from pilothouse.delivery.forges.errors import MergeError
from pilothouse.delivery.forges.local import loose
from pilothouse.delivery.forges.local.git import Git, GitError
from pilothouse.delivery.forges.model import MergeMethod, User

_CONFLICTS = 1


def merged_tree(git: Git, base: str, head: str) -> tuple[str, tuple[str, ...]]:
    """The tree of a merge of two commits, and the paths that conflict (then the tree is of no use)."""
    arguments = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", "--allow-unrelated-histories")
    code, raw, said = git.tried(*arguments, base, head)
    if code not in (0, _CONFLICTS):
        raise GitError(f"git merge-tree: {said or f'exit code {code}'}")
    tree, *paths = raw.decode("utf-8", "replace").rstrip("\0").split("\0")
    return tree.strip(), tuple(path for path in paths if path) if code == _CONFLICTS else ()


def merged(git: Git, method: MergeMethod, base: str, head: str, message: str, author: User, user: User) -> str:
    """What the base branch becomes. Raises `MergeError` that names the paths in conflict."""
    if method != "rebase":
        tree = _clean(git, base, head)
        # Only what changes nothing can be there already.
        if tree == git.tree(base) and git.is_ancestor(head, base):
            return base
        parents, by = ([base, head], user) if method == "merge" else ([base], author)
        return commit_tree(git, tree, parents, message, by, user)
    if git.is_ancestor(head, base):
        return base
    return _rebased(git, base, head, user)


def commit_tree(
    git: Git, tree: str, parents: list[str], message: str, author: User, committer: User, date: str = ""
) -> str:
    """A commit of a tree."""
    return loose.write_commit(git.directory, tree, parents, message, author, committer, date)


def _clean(git: Git, base: str, head: str) -> str:
    tree, conflicts = merged_tree(git, base, head)
    if conflicts:
        raise MergeError(_explained(conflicts))
    return tree


def _explained(paths: tuple[str, ...]) -> str:
    shown = ", ".join(paths[:10]) + (f" and {len(paths) - 10} more" if len(paths) > 10 else "")
    return f"it conflicts in {shown}; merge or rebase onto the base branch, and push"


def _rebased(git: Git, base: str, head: str, user: User) -> str:
    """The commits of `head` one by one on `base`, merge commits left out; as it is when it stands there already."""
    if git.is_ancestor(base, head) and not git.text("rev-list", "--merges", "--max-count=1", f"{base}..{head}"):
        return head
    tip = base
    for commit in git.text("rev-list", "--reverse", "--topo-order", "--no-merges", f"{base}..{head}").split():
        tip = _picked(git, tip, commit, user)
    return tip


def _picked(git: Git, tip: str, commit: str, user: User) -> str:
    """A commit's change on another tip.

    merge-tree finds the merge base in the history, so that it is given one: two commits on the picked one's parent.
    """
    shown = git.text("log", "-1", "--format=%an%x00%ae%x00%ad%x00%P%x00%B", "--date=raw", commit)
    name, email, date, parents, message = shown.split("\x00", 4)
    parent = parents.split()[0] if parents else ""
    root_tree = git.tree(parent) if parent else git.text("mktree")
    root = commit_tree(git, root_tree, [], "base", user, user)
    ours = commit_tree(git, git.tree(tip), [root], "ours", user, user)
    theirs = commit_tree(git, git.tree(commit), [root], "theirs", user, user)
    tree = _clean(git, ours, theirs)
    if tree == git.tree(tip):
        # It is there already.
        return tip
    return commit_tree(git, tree, [tip], message, User(name, name, email), user, date)
