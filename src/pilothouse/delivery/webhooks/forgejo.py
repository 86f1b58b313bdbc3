"""Forgejo's and Gitea's webhooks: signed, read strictly, as events. Most of their shapes are GitHub's.

Source: https://forgejo.org/docs/latest/user/webhooks/ and `modules/structs/hook.go` and
`services/webhook/notifier.go` of both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pilothouse.delivery import signatures
from pilothouse.delivery.forges import Event, EventAction, RefChange, Review, ReviewState
from pilothouse.delivery.forges.forgejo import shapes
from pilothouse.delivery.forges.remote.reading import Node
from pilothouse.delivery.webhooks.parcel import DeliveryError, Parcel, Reading

EVENTS = (
    "push", "pull_request", "pull_request_assign", "pull_request_label", "pull_request_milestone", "pull_request_sync",
    "pull_request_review_request", "pull_request_comment", "pull_request_review", "release", "status",
)  # fmt: skip
_PULL_ACTIONS: dict[str, EventAction] = {
    "opened": "opened", "synchronized": "synchronize", "edited": "edited", "closed": "closed", "reopened": "reopened",
    "label_updated": "labeled", "label_cleared": "unlabeled", "assigned": "assigned", "unassigned": "unassigned",
    "review_requested": "review_requested", "review_request_removed": "review_request_removed",
    "milestoned": "milestoned", "demilestoned": "demilestoned",
}  # fmt: skip
_WRITTEN: dict[str, EventAction] = {"created": "created", "edited": "edited", "deleted": "deleted"}
_RELEASED: dict[str, EventAction] = {"published": "created", "updated": "edited", "deleted": "deleted"}
_REVIEWS: dict[str, ReviewState] = {
    "pull_request_approved": "approved", "pull_request_rejected": "changes_requested",
    "pull_request_comment": "commented",
}  # fmt: skip


def delivery(parcel: Parcel) -> str:
    """The id of a delivery; the same when it is sent again."""
    return parcel.header("x-forgejo-delivery", "x-gitea-delivery")


def check(parcel: Parcel, secret: str) -> None:
    """Raises `DeliveryError` unless the body is signed with the secret. Forgejo's header counts before Gitea's."""
    given = parcel.header("x-forgejo-signature", "x-gitea-signature")
    if not given:
        wanted = "there is no X-Forgejo-Signature or X-Gitea-Signature header; set the webhook's secret"
        raise DeliveryError(wanted, 401, "not_signed")
    if not signatures.hexadecimal(secret.encode(), parcel.body, given):
        raise DeliveryError("the signature is not that of this body", 401, "not_genuine")


def read(parcel: Parcel, body: Node, forge: str) -> Reading:
    """What a delivery says. Raises `ShapeError` that names the field."""
    kind = parcel.header("x-forgejo-event", "x-gitea-event")
    if not kind:
        raise DeliveryError("there is no X-Forgejo-Event or X-Gitea-Event header", field="x-forgejo-event")
    reader = _REVIEWS_READER if kind in _REVIEWS and "review" in body else _READERS.get(kind)
    if reader is None:
        return Reading(kind[:64], ignored="Pilothouse has no use for this kind of event")
    sender = body.maybe("sender")
    event = Event(
        delivery(parcel), forge, body.node("repository").text("full_name"), "ping",
        sender=sender.text("login") if sender else "",
    )  # fmt: skip
    found = reader(event, body, kind)
    action = body.text("action", "")[:40]
    return Reading(kind, found, "" if found else f"Pilothouse has no use for {kind} {action}".rstrip())


def _push(event: Event, body: Node, kind: str) -> tuple[Event, ...]:
    head = body.maybe("head_commit")
    ref = RefChange(body.text("ref"), body.text("before"), body.text("after"))
    return (replace(event, kind="push", ref=ref, at=head.moment("timestamp") if head else 0.0),)


def _pull_request(event: Event, body: Node, kind: str) -> tuple[Event, ...]:
    action = _PULL_ACTIONS.get(body.text("action"))
    if action is None:
        return ()
    pull = shapes.pull_request(body.node("pull_request"))
    person = body.maybe("requested_reviewer")
    event = replace(
        event, kind="pull_request", action="merged" if action == "closed" and pull.merged else action,
        number=pull.number, pull=pull, at=pull.updated, logins=(person.text("login"),) if person else (),
    )  # fmt: skip
    changes = body.maybe("changes")
    if action == "edited" and changes is not None and "title" in changes:
        return (event, *_draft(event, changes.node("title").text("from", ""), pull.draft))
    if action == "labeled" and changes is not None and ("added_labels" in changes or "removed_labels" in changes):
        return _labels(event, changes)
    if (label := body.maybe("label")) is not None:
        # Newer Forgejo names the one that changed: it was given when the pull request has it now.
        name = label.text("name")
        return (_another(event, 0, "labeled" if name in pull.labels else "unlabeled", name),)
    return (event,)


def _draft(event: Event, before: str, now: bool) -> tuple[Event, ...]:
    """Being a draft is a matter of the title here."""
    return () if shapes.says_draft(before) == now else (_another(event, 1, "draft" if now else "ready"),)


def _labels(event: Event, changes: Node) -> tuple[Event, ...]:
    """One event for each label that came or went."""
    found = [("labeled", name) for name in changes.texts("added_labels", "name")]
    found += [("unlabeled", name) for name in changes.texts("removed_labels", "name")]
    return tuple(_another(event, place, action, label) for place, (action, label) in enumerate(found))  # type: ignore[arg-type]


def _another(event: Event, place: int, action: EventAction, label: str = "") -> Event:
    """One of several events of one delivery: each has its own id."""
    return replace(event, action=action, label=label, delivery=f"{event.delivery}/{place}" if place else event.delivery)


def _comment(event: Event, body: Node, kind: str) -> tuple[Event, ...]:
    issue, action = body.node("issue"), _WRITTEN.get(body.text("action"))
    if action is None or not (body.flag("is_pull", False) or "pull_request" in issue):
        return ()
    comment = body.node("comment")
    at = comment.moment("updated_at") or comment.moment("created_at")
    number = issue.number("number")
    return (replace(event, kind="comment", action=action, number=number, at=at, comment=shapes.comment(comment)),)


def _review(event: Event, body: Node, kind: str) -> tuple[Event, ...]:
    """The payload has the review's words and not its id; who sends it wrote it."""
    pull = shapes.pull_request(body.node("pull_request"))
    commit = body.text("commit_id", "") or pull.head.sha
    words = body.node("review").text("content", "")
    review = Review(event.sender, _REVIEWS[kind], words, pull.updated, commit)
    return (
        replace(
            event, kind="review", action="submitted", number=pull.number, at=pull.updated, pull=pull, review=review
        ),
    )


def _status(event: Event, body: Node, kind: str) -> tuple[Event, ...]:
    status = shapes.status(body)
    return (replace(event, kind="status", status=status, commit=body.text("sha"), at=status.at),)


def _release(event: Event, body: Node, kind: str) -> tuple[Event, ...]:
    action = _RELEASED.get(body.text("action"))
    if action is None:
        return ()
    release = body.node("release")
    tag = RefChange(f"refs/tags/{release.text('tag_name')}", "", "")
    return (replace(event, kind="release", action=action, ref=tag, at=release.moment("created_at")),)


_Reader = Callable[[Event, Node, str], tuple[Event, ...]]
_REVIEWS_READER: _Reader = _review
_READERS: dict[str, _Reader] = {
    "push": _push, "pull_request": _pull_request, "issue_comment": _comment, "pull_request_comment": _comment,
    "pull_request_approved": _review, "pull_request_rejected": _review, "status": _status, "release": _release,
}  # fmt: skip
