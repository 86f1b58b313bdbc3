"""What changes between two commits: files, hunks, commits."""

from __future__ import annotations

from pilothouse.delivery.forges.local.git import Git, GitError
from pilothouse.delivery.forges.model import ChangedFile, Commit, FileChange

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_CHANGES: dict[str, FileChange] = {"A": "added", "D": "removed", "R": "renamed", "C": "added"}
_PLAIN = ("--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--full-index")
_MOST_PATCH = 4 << 20
_MOST_PATCH_OF_FILE = 200_000
_MOST_COMMITS = 1_000
_FIELDS = "%H%x00%P%x00%an%x00%ae%x00%at%x00%B%x00%x01"


def changed_files(git: Git, before: str, after: str, patches: bool = True) -> tuple[ChangedFile, ...]:
    """The files that differ between two commits or trees, by path. Patches of binary and of huge files are empty."""
    raw = git.run("diff", "-z", "--raw", "--numstat", *_PLAIN, before, after)
    found = _parsed(raw.decode("utf-8", "surrogateescape"))
    hunks = _patches(git, before, after, len(found)) if patches and found else [""] * len(found)
    files = [
        ChangedFile(_shown(path), added, removed, change, _shown(previous), patch)
        for (path, previous, change, added, removed), patch in zip(found, hunks, strict=True)
    ]
    return tuple(sorted(files, key=lambda file: file.path))


def diff(git: Git, before: str, after: str, most: int = 16 << 20) -> str:
    """A unified diff. Raises `GitError` when it is larger than `most` bytes."""
    return git.run("diff", *_PLAIN, before, after, most=most).decode("utf-8", "replace")


def commits(git: Git, base: str, head: str) -> tuple[Commit, ...]:
    """What `head` has and `base` has not, oldest first; the newest thousand."""
    limit = f"--max-count={_MOST_COMMITS}"
    raw = git.run("log", "--topo-order", "--reverse", limit, f"--format={_FIELDS}", f"{base}..{head}")
    return tuple(_commit(part) for part in raw.decode("utf-8", "replace").split("\x00\x01\n") if part)


def commit(git: Git, sha: str) -> Commit:
    """One commit."""
    return _commit(git.run("log", "-1", f"--format={_FIELDS}", sha).decode("utf-8", "replace").partition("\x00\x01")[0])


def fork_point(git: Git, base: str, head: str) -> str:
    """What the changes of `head` are measured from: the merge base, or the empty tree for foreign histories."""
    return git.merge_base(base, head) or EMPTY_TREE


def _commit(text: str) -> Commit:
    sha, parents, name, email, at, message = text.split("\x00", 5)
    return Commit(sha, message.strip("\n"), name, email, "", float(at or 0), tuple(parents.split()))


def _parsed(text: str) -> list[tuple[str, str, FileChange, int, int]]:
    """(path, previous path, change, lines added, lines removed) in git's order."""
    parts = text.split("\0")
    listed: list[tuple[str, str, FileChange]] = []
    at = 0
    while at < len(parts) and parts[at].startswith(":"):
        letter = parts[at].rsplit(" ", 1)[1][:1]
        two = letter in "RC"
        path = parts[at + 2] if two else parts[at + 1]
        listed.append((path, parts[at + 1] if letter == "R" else "", _CHANGES.get(letter, "modified")))
        at += 3 if two else 2
    found = []
    for path, previous, change in listed:
        added, removed, name = parts[at].split("\t", 2)
        # A renaming has its two paths as fields of their own.
        at += 1 if name else 3
        # Binary files have a dash for a count.
        found.append((path, previous, change, *(int(one) if one.isdigit() else 0 for one in (added, removed))))
    return found  # type: ignore[return-value]


def _patches(git: Git, before: str, after: str, count: int) -> list[str]:
    """The hunks of each file in git's order; none at all when together they are too many."""
    try:
        code, raw, _ = git.tried("diff", "--patch", *_PLAIN, before, after, most=_MOST_PATCH)
    except GitError:
        return [""] * count
    parts = ("\n" + raw.decode("utf-8", "replace")).split("\ndiff --git ")[1:]
    if code or len(parts) != count:
        return [""] * count
    return [_hunks(part) for part in parts]


def _hunks(part: str) -> str:
    at = part.find("\n@@ ")
    return part[at + 1 :].removesuffix("\n") if at >= 0 and len(part) - at <= _MOST_PATCH_OF_FILE else ""


def _shown(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
