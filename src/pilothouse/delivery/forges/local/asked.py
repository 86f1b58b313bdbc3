"""What the calls of the API that change something bring with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pilothouse.delivery.forges.errors import InvalidError
from pilothouse.delivery.forges.model import MergeMethod, PullState, ReviewState, Status, StatusState
from pilothouse.signals.timerange import parse_duration

if TYPE_CHECKING:
    from pilothouse.delivery.forges.local.forge import LocalForge

T = TypeVar("T", bound=str)

_METHODS: tuple[MergeMethod, ...] = ("merge", "squash", "rebase")
_STATES: tuple[PullState, ...] = ("open", "closed", "merged")
_REVIEWS: tuple[ReviewState, ...] = ("approved", "changes_requested", "commented")
_STATUSES: tuple[StatusState, ...] = ("pending", "success", "failure", "error")
ACTIONS = ("merge", "close", "reopen", "draft", "ready")
FIELDS = (
    "title", "body", "milestone", "add_labels", "remove_labels", "assign", "unassign", "request_review",
    "unrequest_review", "action", "method", "head", "message",
)  # fmt: skip
FLAGS = ("private", "archived")
SETTINGS = (
    "description", "default_branch", *FLAGS, "protect", "push", "unprotect", "allow", "permission", "add_label",
    "add_milestone", "close_milestone",
)  # fmt: skip


def text(body: dict[str, Any], name: str, needed: bool = False) -> str:
    """A text of a request's body. Raises `InvalidError`."""
    value = body.get(name, "")
    if not isinstance(value, str) or (needed and not value):
        raise InvalidError(f"{name}: a text is needed here")
    return _storable(value, name)


def truth(body: dict[str, Any], name: str) -> bool:
    """true or false. Raises `InvalidError`."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise InvalidError(f"{name}: true or false is needed here")
    return value


def whole(body: dict[str, Any], name: str) -> int:
    """A whole number. Raises `InvalidError`."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        raise InvalidError(f"{name}: a whole number is needed here")
    return value


def texts(body: dict[str, Any], name: str) -> list[str]:
    """Several texts, at most a hundred. Raises `InvalidError`."""
    value = body.get(name, [])
    if not isinstance(value, list) or len(value) > 100 or not all(isinstance(one, str) for one in value):
        raise InvalidError(f"{name}: a list of texts is needed here")
    return [_storable(one, name) for one in value]


def duration(body: dict[str, Any], name: str) -> float:
    """Seconds; 0 when nothing is said. Raises `BadRequestError`, `InvalidError`."""
    given = text(body, name)
    return parse_duration(given, name) if given else 0.0


def state(given: str) -> PullState | None:
    """A state, None for all of them. Raises `InvalidError`."""
    if given == "all":
        return None
    return _one_of(given, _STATES, "state")


def review_state(given: str) -> ReviewState:
    """What a review says. Raises `InvalidError`."""
    return _one_of(given, _REVIEWS, "state")


def status(body: dict[str, Any]) -> Status:
    """A status. Raises `InvalidError`."""
    known = _one_of(text(body, "state", needed=True), _STATUSES, "state")
    return Status(known, text(body, "description"), text(body, "context", needed=True), text(body, "url"))


def change(forge: LocalForge, repository: str, number: int, body: dict[str, Any]) -> dict[str, Any]:
    """Do to a pull request what a body asks for; what there is to say of it besides."""
    _only(body, FIELDS)
    action = _one_of(text(body, "action"), ACTIONS, "action") if "action" in body else ""
    said: dict[str, Any] = {}
    if "title" in body:
        forge.set_title(repository, number, text(body, "title"))
    if "body" in body:
        forge.set_body(repository, number, text(body, "body"))
    if "milestone" in body:
        forge.set_milestone(repository, number, text(body, "milestone"))
    for name in ("add_labels", "remove_labels", "unassign", "unrequest_review"):
        if name in body:
            getattr(forge, name)(repository, number, texts(body, name))
    for name in ("assign", "request_review"):
        if name in body:
            said[f"could_not_{name}"] = sorted(getattr(forge, name)(repository, number, texts(body, name)))
    if action == "merge":
        method = _one_of(text(body, "method") or "merge", _METHODS, "method")
        head = text(body, "head") or forge.pull_request(repository, number).head.sha
        said["sha"] = forge.merge(repository, number, method, head, message=text(body, "message"))
    elif action in ("draft", "ready"):
        forge.set_draft(repository, number, action == "draft")
    elif action:
        getattr(forge, action)(repository, number)
    return said


def settings(forge: LocalForge, repository: str, body: dict[str, Any]) -> None:
    """Change a repository's settings."""
    _only(body, SETTINGS)
    if "protect" in body:
        forge.protect(repository, text(body, "protect", needed=True), text(body, "push") or "write")
    if "unprotect" in body:
        forge.protect(repository, text(body, "unprotect", needed=True), None)
    if "allow" in body:
        forge.allow(repository, text(body, "allow", needed=True), text(body, "permission", needed=True))
    flags = {name: truth(body, name) for name in FLAGS if name in body}
    said = text(body, "description") if "description" in body else None
    if flags or said is not None or "default_branch" in body:
        forge.configure(repository, said, default_branch=text(body, "default_branch"), **flags)
    if "add_label" in body:
        forge.add_label(repository, text(body, "add_label", needed=True))
    if "add_milestone" in body:
        forge.add_milestone(repository, text(body, "add_milestone", needed=True))
    if "close_milestone" in body:
        forge.add_milestone(repository, text(body, "close_milestone", needed=True), is_open=False)


def _storable(value: str, name: str) -> str:
    """A text that a database and git can hold: JSON can bring half characters, and NUL."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidError(f"{name}: this is no text: it has half a character in it") from None
    if "\0" in value:
        raise InvalidError(f"{name}: there is a NUL in it")
    return value


def _only(body: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in body:
        if name not in known:
            raise InvalidError(f"{name[:50]}: no such field; known are {', '.join(known)}")


def _one_of(given: str, known: tuple[T, ...], what: str) -> T:
    for one in known:
        if one == given:
            return one
    raise InvalidError(f"{what}: {given[:50]!r} is not one of {', '.join(known)}")
