"""GitHub's webhooks: signed, read strictly, as events.

Source: https://docs.github.com/webhooks/webhook-events-and-payloads and
https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pilothouse.delivery import signatures
from pilothouse.delivery.forges import Event, EventAction, RefChange
from pilothouse.delivery.forges.github import shapes
from pilothouse.delivery.forges.remote.reading import Node
from pilothouse.delivery.webhooks.parcel import DeliveryError, Parcel, Reading

EVENTS = (
    "ping", "push", "pull_request", "issue_comment", "pull_request_review", "pull_request_review_comment", "status",
    "check_run", "release",
)  # fmt: skip
_PULL_ACTIONS: dict[str, EventAction] = {
    "opened": "opened", "synchronize": "synchronize", "edited": "edited", "closed": "closed", "reopened": "reopened",
    "ready_for_review": "ready", "converted_to_draft": "draft", "labeled": "labeled", "unlabeled": "unlabeled",
    "assigned": "assigned", "unassigned": "unassigned", "review_requested": "review_requested",
    "review_request_removed": "review_request_removed", "milestoned": "milestoned", "demilestoned": "demilestoned",
}  # fmt: skip
_WRITTEN: dict[str, EventAction] = {"created": "created", "edited": "edited", "deleted": "deleted"}
_REVIEWED: dict[str, EventAction] = {"submitted": "submitted", "edited": "edited", "dismissed": "dismissed"}
_RELEASED: dict[str, EventAction] = {"published": "created", "edited": "edited", "deleted": "deleted"}


def delivery(parcel: Parcel) -> str:
    """The id of a delivery; the same when it is sent again."""
    return parcel.header("x-github-delivery")


def check(parcel: Parcel, secret: str) -> None:
    """Raises `DeliveryError` unless the body is signed with the secret. SHA-1 is not taken."""
    given = parcel.header("x-hub-signature-256")
    if not given:
        raise DeliveryError("there is no X-Hub-Signature-256 header; set the webhook's secret", 401, "not_signed")
    if not signatures.prefixed(secret.encode(), parcel.body, given, ("sha256",)):
        raise DeliveryError("X-Hub-Signature-256 is not the signature of this body", 401, "not_genuine")


def read(parcel: Parcel, body: Node, forge: str) -> Reading:
    """What a delivery says. Raises `ShapeError` that names the field."""
    kind = parcel.header("x-github-event")
    if not kind:
        raise DeliveryError("there is no X-GitHub-Event header", field="x-github-event")
    reader = _READERS.get(kind)
    if reader is None:
        return Reading(kind[:64], ignored="Pilothouse has no use for this kind of event")
    action = body.text("action", "")
    found = reader(_begun(parcel, body, forge), body, action)
    if found is None:
        return Reading(kind, ignored=f"Pilothouse has no use for {kind} {action[:40]}".rstrip())
    return Reading(kind, (found,))


def _begun(parcel: Parcel, body: Node, forge: str) -> Event:
    """What every event has."""
    repository, sender = body.maybe("repository"), body.maybe("sender")
    return Event(
        delivery(parcel),
        forge,
        repository.text("full_name") if repository else "",
        "ping",
        sender=sender.text("login") if sender else "",
        sender_is_bot=shapes.is_bot(sender),
    )


def _ping(event: Event, body: Node, action: str) -> Event:
    return event


def _push(event: Event, body: Node, action: str) -> Event:
    ref = RefChange(body.text("ref"), body.text("before"), body.text("after"), body.flag("forced", False))
    head = body.maybe("head_commit")
    return replace(_of(event, body), kind="push", ref=ref, at=head.moment("timestamp") if head else 0.0)


def _pull_request(event: Event, body: Node, action: str) -> Event | None:
    known = _PULL_ACTIONS.get(action)
    if known is None:
        return None
    pull = shapes.pull_request(body.node("pull_request"))
    label = body.maybe("label")
    person = body.maybe("requested_reviewer" if known.startswith("review_") else "assignee")
    return replace(
        _of(event, body), kind="pull_request", action="merged" if known == "closed" and pull.merged else known,
        number=pull.number, pull=pull, at=pull.updated, before=body.text("before", ""),
        label=label.text("name") if label else "", logins=(person.text("login"),) if person else (),
    )  # fmt: skip


def _issue_comment(event: Event, body: Node, action: str) -> Event | None:
    issue = body.node("issue")
    if action not in _WRITTEN or "pull_request" not in issue:
        return None
    comment = body.node("comment")
    at = comment.moment("updated_at") or comment.moment("created_at")
    return replace(
        _of(event, body), kind="comment", action=_WRITTEN[action], number=issue.number("number"), at=at,
        comment=shapes.comment(comment),
    )  # fmt: skip


def _review_comment(event: Event, body: Node, action: str) -> Event | None:
    if action not in _WRITTEN:
        return None
    pull, comment = shapes.pull_request(body.node("pull_request")), body.node("comment")
    at = comment.moment("updated_at") or comment.moment("created_at")
    return replace(
        _of(event, body), kind="comment", action=_WRITTEN[action], number=pull.number, at=at, pull=pull,
        comment=shapes.comment(comment, "line-"),
    )  # fmt: skip


def _review(event: Event, body: Node, action: str) -> Event | None:
    review = shapes.review(body.node("review"))
    if action not in _REVIEWED or review is None:
        return None
    pull = shapes.pull_request(body.node("pull_request"))
    return replace(
        _of(event, body), kind="review", action=_REVIEWED[action], number=pull.number, at=review.at or pull.updated,
        pull=pull, review=review,
    )  # fmt: skip


def _status(event: Event, body: Node, action: str) -> Event:
    status = shapes.status(body)
    return replace(_of(event, body), kind="status", status=status, commit=body.text("sha"), at=status.at)


def _check_run(event: Event, body: Node, action: str) -> Event | None:
    if action not in ("created", "completed"):
        return None
    run = body.node("check_run")
    status = shapes.check_run(run)
    return replace(_of(event, body), kind="status", status=status, commit=run.text("head_sha"), at=status.at)


def _release(event: Event, body: Node, action: str) -> Event | None:
    if action not in _RELEASED:
        return None
    release = body.node("release")
    tag = RefChange(f"refs/tags/{release.text('tag_name')}", "", "")
    return replace(_of(event, body), kind="release", action=_RELEASED[action], ref=tag, at=release.moment("created_at"))


def _of(event: Event, body: Node) -> Event:
    """An event that must be one of a repository."""
    body.node("repository")
    return event


_READERS: dict[str, Callable[[Event, Node, str], Event | None]] = {
    "ping": _ping, "push": _push, "pull_request": _pull_request, "issue_comment": _issue_comment,
    "pull_request_review": _review, "pull_request_review_comment": _review_comment, "status": _status,
    "check_run": _check_run, "release": _release,
}  # fmt: skip
