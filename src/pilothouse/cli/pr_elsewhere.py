"""Pull requests on GitHub, GitLab, Forgejo or Gitea, asked by the person at the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from pilothouse.cli.client import fail
from pilothouse.cli.pr_asking import Head, Json
from pilothouse.delivery.forges.errors import ForgeError
from pilothouse.delivery.forges.interface import Forge
from pilothouse.delivery.forges.locating import Located
from pilothouse.delivery.forges.model import LineComment, MergeMethod, PullState, ReviewState
from pilothouse.delivery.forges.opening import open_forge
from pilothouse.delivery.forges.personal import open_as_person
from pilothouse.delivery.forges.remote.calling import Caller
from pilothouse.delivery.forges.showing import pull_json, said_json, whole_pull

_STATES: dict[str, PullState | None] = {"open": "open", "closed": "closed", "merged": "merged", "all": None}


@contextmanager
def _refusals() -> Iterator[None]:
    """What the forge refuses ends the program with its words."""
    try:
        yield
    except ForgeError as error:
        fail(str(error))


class Elsewhere:
    """Those of a repository on another forge: see `Pulls`."""

    def __init__(self, place: Located, token: str) -> None:
        self.repository, self._place = place.repository, place
        self._opened: list[Caller] = []
        with _refusals():
            self._forge: Forge = open_as_person(place, token, opened=self._opened)

    def hang_up(self) -> None:
        """Let go of the connections."""
        for caller in self._opened:
            caller.close()

    @_refusals()
    def create(self, asked: Json) -> Json:
        """See `Pulls`."""
        base = asked["base"] or self._forge.repository(self.repository).default_branch
        return pull_json(
            self._forge.create_pull_request(
                self.repository, asked["head"], base, asked["title"], asked["body"], asked["draft"]
            )
        )

    @_refusals()
    def list(self, state: str, limit: int) -> list[Json]:
        """See `Pulls`."""
        if state not in _STATES:
            fail(f"state: {state!r} is none of {', '.join(_STATES)}")
        return [pull_json(one) for one in self._forge.pull_requests(self.repository, _STATES[state], limit)]

    @_refusals()
    def pull(self, number: int) -> Json:
        """See `Pulls`."""
        return whole_pull(self._forge, self.repository, number)

    @_refusals()
    def diff(self, number: int) -> str:
        """See `Pulls`."""
        return self._forge.diff(self.repository, number)

    @_refusals()
    def comment(self, number: int, body: str, path: str, line: int) -> str:
        """See `Pulls`."""
        if path:
            head = self._forge.pull_request(self.repository, number).head.sha
            self._forge.add_line_comments(self.repository, number, head, [LineComment(path, line, body)])
        else:
            self._forge.add_comment(self.repository, number, body)
        me = self._forge.me.login
        if body.lstrip().startswith("/"):
            self._warn_of_a_command_by(me)
        return me

    @_refusals()
    def review(self, number: int, state: ReviewState, body: str) -> Json:
        """See `Pulls`."""
        head = self._forge.pull_request(self.repository, number).head.sha
        return said_json(self._forge.add_review(self.repository, number, state, body, head))

    @_refusals()
    def merge(self, number: int, method: MergeMethod, head: str, message: str) -> tuple[Json, str]:
        """See `Pulls`."""
        head = head or self._forge.pull_request(self.repository, number).head.sha
        made = self._forge.merge(self.repository, number, method, head, message=message)
        return pull_json(self._forge.pull_request(self.repository, number)), made

    @_refusals()
    def change(self, number: int, action: str) -> Json:
        """See `Pulls`."""
        actions: dict[str, Callable[[], None]] = {
            "close": lambda: self._forge.close(self.repository, number),
            "reopen": lambda: self._forge.reopen(self.repository, number),
            "ready": lambda: self._forge.set_draft(self.repository, number, False),
        }
        actions[action]()
        return pull_json(self._forge.pull_request(self.repository, number))

    @_refusals()
    def head(self, number: int) -> Head:
        """See `Pulls`."""
        remote = self._forge.remote(self.repository)
        return Head(remote.url, self._forge.pull_ref(number), dict(remote.environment))

    def _servers(self) -> str:
        """Whom Pilothouse acts as there."""
        return open_forge(self._place.name, self._place.settings, opened=self._opened).me.login

    def _warn_of_a_command_by(self, me: str) -> None:
        if self._place.configured and self._servers() == me:
            typer.echo(
                f"{me} is whom Pilothouse acts as on {self._place.host}, and it takes no commands of itself: "
                "say --token, or give it a user of its own",
                err=True,
            )
