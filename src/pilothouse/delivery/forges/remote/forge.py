"""What all forges that are asked over HTTP have in common."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from pilothouse.delivery.forges.errors import ConflictError, InvalidError, MergeError, MissingError
from pilothouse.delivery.forges.model import Comment, LineComment, PullRequest, Remote, User
from pilothouse.delivery.forges.remote import marking, pushing

MOST_FILE_BYTES = 10_000_000
_LOOKS, _BETWEEN_LOOKS_SECONDS = 6, 1.0
_REPOSITORY = re.compile(r"^[A-Za-z0-9_][\w.-]*(?:/[A-Za-z0-9_.-][\w.-]*)+$")
_HASH = re.compile(r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")


@dataclass(frozen=True, slots=True)
class Access:
    """How a forge is reached: its name in the configuration, and the repositories that may be worked on (none: all)."""

    name: str
    repositories: tuple[str, ...] = ()


class RemoteForge:
    """The parts of `Forge` that are the same for all of them, on top of those that are not."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._me: User | None = None
        self._lock = threading.Lock()
        self._sleep = time.sleep

    @property
    def name(self) -> str:
        """What it is called in the configuration and in events."""
        return self._access.name

    @property
    def me(self) -> User:
        """Who Pilothouse is there; asked once."""
        with self._lock:
            if self._me is None:
                self._me = self._who()
            return self._me

    def at_once(self) -> AbstractContextManager[None]:
        """Each question is asked by itself."""
        return nullcontext()

    def _who(self) -> User:
        raise NotImplementedError

    # -- comments with a key

    def add_comment(self, repository: str, number: int, body: str, key: str = "") -> Comment:
        """Comment; with a key there is one, which is changed when it differs."""
        if not body.strip():
            raise InvalidError("body: a comment has to say something")
        if key:
            for said in self._comments(repository, number):
                if marking.key_of(said.body) == key and said.author.lower() == self.me.login.lower():
                    if marking.unmarked(said.body) == body:
                        return shown(said)
                    return shown(self._put_comment(repository, number, said.id, marking.marked(body, key)))
        return shown(self._post_comment(repository, number, marking.marked(body, key)))

    def add_line_comments(self, repository: str, number: int, sha: str, said: Collection[LineComment]) -> None:
        """Comment on lines that the head adds, on each once."""
        if not said:
            return
        me = self.me.login.lower()
        known = {(one.path, one.line, one.body.strip()) for one in self._comments(repository, number)
                 if one.path and one.author.lower() == me}  # fmt: skip
        new = [one for one in said if (one.path, one.line, one.body.strip()) not in known]
        if new:
            self._post_line_comments(repository, number, sha, new)

    def _post_line_comments(self, repository: str, number: int, sha: str, said: Collection[LineComment]) -> None:
        raise NotImplementedError

    def comments(self, repository: str, number: int) -> tuple[Comment, ...]:
        """The comments of a pull request, oldest first."""
        return tuple(map(shown, self._comments(repository, number)))

    def edit_comment(self, repository: str, number: int, comment: str, body: str) -> Comment:
        """Change a comment of our own; its key stays."""
        key = next((marking.key_of(one.body) for one in self._comments(repository, number) if one.id == comment), "")
        return shown(self._put_comment(repository, number, comment, marking.marked(body, key)))

    def _comments(self, repository: str, number: int) -> tuple[Comment, ...]:
        raise NotImplementedError

    def _post_comment(self, repository: str, number: int, body: str) -> Comment:
        raise NotImplementedError

    def _put_comment(self, repository: str, number: int, comment: str, body: str) -> Comment:
        raise NotImplementedError

    # -- branches

    def remote(self, repository: str, write: bool = False) -> Remote:
        """Where git clones from and pushes to."""
        raise NotImplementedError

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """One pull request."""
        raise NotImplementedError

    def close(self, repository: str, number: int) -> None:
        """Close a pull request without merging."""
        raise NotImplementedError

    def tip(self, repository: str, branch: str) -> str:
        """The commit of a branch; empty when it is not there."""
        raise NotImplementedError

    def tags(self, repository: str) -> Mapping[str, str]:
        """The tags and the commits that they stand for."""
        raise NotImplementedError

    def create_branch(self, repository: str, branch: str, sha: str) -> None:
        """Make a branch."""
        there = self.tip(repository, checked_ref(branch))
        if there and there != sha:
            raise ConflictError(f"{branch} is there already, at {there[:12]}")
        if not there:
            self._make_branch(repository, branch, checked_hash(sha))

    def _make_branch(self, repository: str, branch: str, sha: str) -> None:
        raise NotImplementedError

    def create_tag(self, repository: str, tag: str, sha: str, message: str = "") -> None:
        """Make a tag."""
        there = self.tags(repository).get(checked_ref(tag))
        if there and there != sha:
            raise ConflictError(f"the tag {tag} is there already, at {there[:12]}")
        if not there:
            self._make_tag(repository, tag, checked_hash(sha), message)

    def _make_tag(self, repository: str, tag: str, sha: str, message: str) -> None:
        raise NotImplementedError

    def move_branch(self, repository: str, branch: str, sha: str, expected: str, force: bool = False) -> None:
        """Move a branch, if it is where it is thought to be."""
        checked_hash(sha)
        if self.tip(repository, branch) != sha:
            pushing.move(self.remote(repository, write=True), checked_ref(branch), sha, checked_hash(expected), force)

    def merge_all(self, repository: str, base: str, expected: str, sha: str, numbers: Iterable[int]) -> None:
        """Land a batch: the branch moves, and the forge sees by itself which pull requests are in it.

        Those that it cannot see, as they were squashed or rebased, are closed with a comment that says where they are.
        """
        numbers = list(numbers)
        there = self.tip(repository, base)
        if there not in (expected, sha):
            raise ConflictError(f"{base} is at {there[:12]} now, not at {expected[:12]}")
        if there != sha:
            for number in numbers:
                pull = self.pull_request(repository, number)
                if pull.state != "open" or pull.base.ref != base:
                    raise MergeError(f"#{number} is {pull.state}, into {pull.base.ref}")
            self.move_branch(repository, base, sha, expected)
        for number in self._not_seen_as_merged(repository, numbers):
            said = f"Merged into `{base}` as part of {sha}."
            self.add_comment(repository, number, said, key="merged-in-batch")
            self.close(repository, number)

    def _not_seen_as_merged(self, repository: str, numbers: list[int]) -> list[int]:
        """Forges look for what a push merged after they have taken it; they are given a little time."""
        for _ in range(_LOOKS):
            numbers = [number for number in numbers if self.pull_request(repository, number).state == "open"]
            if not numbers:
                break
            self._sleep(_BETWEEN_LOOKS_SECONDS)
        return numbers


def ready_to_merge(pull: PullRequest, head: str, base: str) -> None:
    """Raises `MergeError` for one that is closed or a draft, `ConflictError` when head or base are elsewhere."""
    number = pull.number
    if pull.state == "closed":
        raise MergeError(f"#{number} is closed: reopen it first")
    if pull.draft:
        raise MergeError(f"#{number} is a draft: mark it ready first")
    if pull.head.sha != head:
        raise ConflictError(f"#{number} is at {pull.head.sha[:12]} now, not at {head[:12]}: look at it again")
    if base and pull.base.sha != base:
        raise ConflictError(f"{pull.base.ref} is at {pull.base.sha[:12]} now, not at {base[:12]}")


def shown(comment: Comment) -> Comment:
    """A comment as people see it."""
    return replace(comment, body=marking.unmarked(comment.body))


def checked_repository(repository: str) -> str:
    """A full name. Raises `MissingError` for what cannot be one."""
    if not _REPOSITORY.match(repository) or ".." in repository:
        raise MissingError(f"{repository[:100]!r} is no repository's name: write OWNER/NAME")
    return repository


def checked_ref(ref: str) -> str:
    """A branch or tag. Raises `InvalidError` for what git would not take."""
    if not ref or ref.startswith(("-", "/", ".")) or ref.endswith(("/", ".", ".lock")) or re.search(
        r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//", ref
    ):  # fmt: skip
        raise InvalidError(f"{ref[:100]!r} cannot be a branch or a tag")
    return ref


def checked_hash(sha: str) -> str:
    """A commit's whole hash. Raises `InvalidError`."""
    if not _HASH.match(sha):
        raise InvalidError(f"{sha[:60]!r} is not a commit's hash")
    return sha


def each(
    logins: Collection[str], ask: Callable[[list[str]], frozenset[str]], refused: type[Exception]
) -> frozenset[str]:
    """Ask for all at once; when that is refused, one by one: those who are refused."""
    wanted = sorted(set(logins))
    if not wanted:
        return frozenset()
    try:
        return ask(wanted)
    except refused:
        if len(wanted) == 1:
            return frozenset(wanted)
    return frozenset().union(*(each([one], ask, refused) for one in wanted))
