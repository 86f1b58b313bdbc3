"""A repository's git on this machine: fetched from its forge, merged without a working tree, checked out for jobs."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pilothouse.delivery.acting.remembering import Remembered
from pilothouse.delivery.forges import MergeError, MergeMethod, Remote, User
from pilothouse.delivery.forges.local import merging
from pilothouse.delivery.forges.local.git import Git, GitError
from pilothouse.replacing import replace_file

__all__ = ["Change", "GitError", "Mirror", "Mirrors"]

_LARGEST_FILE = 1_000_000
_MOST_FILES = 5_000
# How much history a job finds in its checkout.
_DEPTH = 50
_REMEMBERED = 10_000
_HASH = re.compile(r"[0-9a-f]{40,64}")
# For git that talks to a forge: its transports and nothing a user configured for himself.
_NETWORK = {
    "core.hooksPath": "/dev/null", "protocol.allow": "never", "protocol.http.allow": "always",
    "protocol.https.allow": "always", "protocol.ssh.allow": "always", "protocol.file.allow": "always",
    "transfer.fsckObjects": "true", "fetch.fsck.zeroPaddedFilemode": "ignore", "fetch.fsck.badTimezone": "ignore",
    "fetch.fsck.missingSpaceBeforeDate": "ignore", "gc.auto": "0", "uploadpack.allowAnySHA1InWant": "true",
    "safe.directory": "*",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A pull request's head as it is put on a branch: how, and the message and the author of the commit it makes."""

    number: int
    head: str
    message: str
    author: User
    method: MergeMethod = "merge"


class Mirror:
    """One repository. Its calls block; they may come from any thread."""

    def __init__(self, directory: Path, who: User) -> None:
        """`who` makes the commits."""
        self.directory = directory
        self._git = Git(directory)
        self._who = who
        self._lock = threading.RLock()
        # What git said of commits stays true: each question is a process, and the same ones come with every event.
        self._said = Remembered(_REMEMBERED)
        if not (directory / "HEAD").exists():
            directory.mkdir(parents=True, exist_ok=True)
            self._git.run("init", "--quiet", "--bare")

    def fetch(self, remote: Remote, refs: Mapping[str, str]) -> None:
        """Bring refs of a forge (`refs/heads/main`) here, each under a name of our own. Raises `GitError`."""
        if not refs:
            return
        wanted = [f"+{theirs}:refs/forge/{ours}" for theirs, ours in refs.items()]
        with self._lock:
            self._git.run(
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--",
                remote.url,
                *wanted,
                environ=_network(remote),
            )

    def push(self, remote: Remote, commit: str, ref: str) -> None:
        """Put a commit under a ref of the forge."""
        self._git.run("push", "--quiet", "--force", "--", remote.url, f"{commit}:{ref}", environ=_network(remote))

    def fetched(self, name: str) -> str:
        """The commit that a fetched ref stands for, or nothing."""
        return self._ref(f"refs/forge/{name}")

    def has(self, commit: str) -> bool:
        """Whether a commit is here."""
        if not commit or not _HASH.fullmatch(commit):
            return False
        # Only that it is here stays true.
        if self._said.holds(("has", commit)):
            return True
        found = self._git.commit_or_none(commit) is not None
        return found and self._said.ask(("has", commit), lambda: True)

    def is_ancestor(self, one: str, other: str) -> bool:
        """Whether commit `one` is `other` or comes before it."""
        return self._git.is_ancestor(one, other)

    def merged(self, base: str, head: str) -> str:
        """A commit that merges a head onto a base, the same one each time. Raises `MergeError` with the paths."""
        return self.tree(base, [Change(0, head, f"Merge {head[:12]} onto {base[:12]}\n", self._who)])

    def tree(self, base: str, changes: Iterable[Change]) -> str:
        """The commit that a branch at `base` is at after all of these changes, in order. Raises `MergeError`.

        What was made once is found again: a change that was tested behind others stands, when they are merged, on the
        very commit that the branch then is at.
        """
        changes = list(changes)
        known = ("tree", base, *(f"{one.method} {one.number} {one.head} {one.message}" for one in changes))
        return self._said.ask(known, lambda: self._tree(base, changes))

    def _tree(self, base: str, changes: Iterable[Change]) -> str:
        tip = key = base
        git, who = self._git, self._who
        with self._lock:
            for change in changes:
                key += f"\n{change.method} {change.number} {change.head}\n{change.message}"
                ref = f"refs/made/{hashlib.sha256(key.encode()).hexdigest()}"
                made = self._ref(ref)
                if not made:
                    made = merging.merged(git, change.method, tip, change.head, change.message, change.author, who)
                    self._keep(ref, made)
                tip = made
        return tip

    def _ref(self, ref: str) -> str:
        """The commit of a ref, or nothing. Refs lie open here, since nothing packs them: one that does not is none."""
        if not (self.directory / ref).exists() and not (self.directory / "packed-refs").exists():
            return ""
        return self._git.commit_or_none(ref) or ""

    def _keep(self, ref: str, commit: str) -> None:
        """Write a ref of our own, which nobody else writes; whole or not at all."""
        path = self.directory / ref
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, f"{commit}\n")

    def picked(self, onto: str, since: str, change: Change) -> str:
        """One commit on `onto` with what lies between `since` and the change's head. Raises `MergeError`."""
        git, who = self._git, self._who

        def on(parents: list[str], commit: str) -> str:
            return merging.commit_tree(git, git.tree(commit), parents, "part", who, who)

        # merge-tree finds the merge base in the history, so it is given one.
        root = on([], since)
        tree, conflicts = merging.merged_tree(git, on([root], onto), on([root], change.head))
        if conflicts:
            raise MergeError(f"it conflicts in {', '.join(conflicts[:10])}")
        return merging.commit_tree(git, tree, [onto], change.message, change.author, who)

    def texts(self, commit: str, wanted: Callable[[str], bool]) -> dict[str, str]:
        """The files of a commit for which `wanted` holds, by path; what is too large or no text is left out."""
        return self.contents(self.blobs(commit, wanted))

    def blobs(self, commit: str, wanted: Callable[[str], bool]) -> dict[str, str]:
        """The same files, each as the hash of its content: two commits with the same say the same in them."""
        listed = self._git.run("ls-tree", "-r", "-z", commit).decode("utf-8", "surrogateescape")
        blobs: dict[str, str] = {}
        for entry in listed.split("\0"):
            meta, _, path = entry.partition("\t")
            if path and wanted(path):
                mode, _, blob = meta.split()[:3]
                # Only plain files: a link could lead anywhere.
                if mode.startswith("100") and len(blobs) < _MOST_FILES:
                    blobs[path] = blob
        return blobs

    def contents(self, blobs: Mapping[str, str]) -> dict[str, str]:
        """The texts of what `blobs` named."""
        if not blobs:
            return {}
        raw = self._git.run("cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs.values()).encode())
        found, place = {}, 0
        for path in blobs:
            line = raw.index(b"\n", place)
            size = int(raw[place:line].split()[2])
            content = raw[line + 1 : line + 1 + size]
            place = line + 1 + size + 1
            if size <= _LARGEST_FILE:
                try:
                    found[path] = content.decode()
                except UnicodeDecodeError:
                    continue
        return found

    def messages(self, base: str, head: str) -> tuple[str, ...]:
        """The messages of the commits that `head` has and `base` has not, oldest first."""
        return tuple(text for _, _, text in self._commits(base, head) if text)

    def merges(self, base: str, head: str) -> tuple[str, ...]:
        """The merge commits among them."""
        return tuple(commit for commit, parents, _ in self._commits(base, head) if len(parents) > 1)

    def _commits(self, base: str, head: str) -> tuple[tuple[str, tuple[str, ...], str], ...]:
        """Hash, parents and message of each of them, oldest first; of very many the newest."""
        # The same as long as the head has taken nothing from the base, wherever that moves.
        base = self.fork_point(base, head) or base

        def ask() -> tuple[tuple[str, tuple[str, ...], str], ...]:
            raw = self._git.run("log", "--reverse", "--max-count=500", "--format=%H %P%n%B%x00", f"{base}..{head}")
            entries = (one.strip().partition("\n") for one in raw.decode("utf-8", "replace").split("\0"))
            return tuple((line.split()[0], tuple(line.split()[1:]), text.strip()) for line, _, text in entries if line)

        return self._said.ask(("commits", base, head), ask)

    def files_of(self, commit: str) -> str:
        """The hash of the tree of a commit: two commits with the same files have the same."""
        return self._said.ask(
            ("tree", commit), lambda: self._git.run("rev-parse", f"{commit}^{{tree}}").decode().strip()
        )

    def fork_point(self, base: str, head: str) -> str:
        """The one commit from which two histories go apart; nothing where there is none, or several."""

        def ask() -> str:
            found = self._git.text("merge-base", "--all", base, head, fine=(0, 1)).split()
            return found[0] if len(found) == 1 else ""

        return self._said.ask(("fork", base, head), ask)

    def check_out(self, commit: str, directory: Path) -> None:
        """A repository of its own with a commit checked out; nothing leads from it back to this one."""
        shutil.rmtree(directory, ignore_errors=True)
        _begin(directory / ".git")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | _settings(
            _NETWORK
        )
        for words in (
            ("fetch", "--quiet", "--no-tags", f"--depth={_DEPTH}", f"file://{self.directory}", commit),
            ("checkout", "--quiet", "--detach", "FETCH_HEAD"),
        ):
            done = subprocess.run(  # noqa: S603
                ["git", *words], cwd=directory, env=environment, capture_output=True, check=False,  # noqa: S607
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
            if done.returncode:
                raise GitError(f"git {words[0]}: {done.stderr.decode('utf-8', 'replace').strip()[-500:]}")


class Mirrors:
    """The mirrors of all repositories, below one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[tuple[str, str], Mirror] = {}
        self._lock = threading.Lock()

    def of(self, forge: str, repository: str, who: User) -> Mirror:
        """That of one repository; made when there is none."""
        with self._lock:
            found = self._open.get((forge, repository))
            if found is None:
                # A name from outside is never a path here.
                name = hashlib.sha256(f"{forge} {repository}".encode()).hexdigest()[:32]
                found = self._open[forge, repository] = Mirror(self._directory / f"{name}.git", who)
            return found


def _begin(directory: Path) -> None:
    """An empty repository, as `git init` makes it without its templates; a process less on the way to a first step."""
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (directory / name).mkdir(parents=True)
    (directory / "HEAD").write_text("ref: refs/heads/work\n")
    (directory / "config").write_text(
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"
    )


def _network(remote: Remote) -> dict[str, str]:
    """The environment of git when it talks to a forge: our settings and the forge's secret."""
    given = dict(remote.environment)
    pairs = dict(_NETWORK)
    for at in range(int(given.pop("GIT_CONFIG_COUNT", "0"))):
        pairs[given.pop(f"GIT_CONFIG_KEY_{at}")] = given.pop(f"GIT_CONFIG_VALUE_{at}")
    return given | _settings(pairs)


def _settings(pairs: Mapping[str, str]) -> dict[str, str]:
    found = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
             "GIT_CONFIG_COUNT": str(len(pairs))}  # fmt: skip
    for at, (key, value) in enumerate(pairs.items()):
        found[f"GIT_CONFIG_KEY_{at}"], found[f"GIT_CONFIG_VALUE_{at}"] = key, value
    return found


__all__ += ["MergeError"]
