"""GitLab's webhooks: signed or with a token, read strictly, as events.

Source: https://docs.gitlab.com/user/project/integrations/webhook_events/ and, for signing tokens (GitLab 19.0),
https://docs.gitlab.com/user/project/integrations/webhooks/
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from pilothouse.delivery import signatures
from pilothouse.delivery.forges import NO_COMMIT, BranchTip, Comment, Event, EventAction, PullRequest, RefChange, Review
from pilothouse.delivery.forges.gitlab import shapes
from pilothouse.delivery.forges.model import ReviewState, Status
from pilothouse.delivery.forges.remote.reading import Node
from pilothouse.delivery.webhooks.parcel import DeliveryError, Parcel, Reading

EVENTS = (
    "push_events", "tag_push_events", "merge_requests_events", "note_events", "pipeline_events", "releases_events",
)  # fmt: skip
PIPELINE = "gitlab/pipeline"
# What Standard Webhooks advises: a signed request that is older was kept by somebody.
_OLDEST_SECONDS = 300.0
_LIFE: dict[str, EventAction] = {"open": "opened", "close": "closed", "reopen": "reopened", "merge": "merged"}
_REVIEWS: dict[str, tuple[EventAction, ReviewState]] = {
    "approved": ("submitted", "approved"), "approval": ("submitted", "approved"),
    "unapproved": ("dismissed", "dismissed"), "unapproval": ("dismissed", "dismissed"),
}  # fmt: skip
_RELEASED: dict[str, EventAction] = {"create": "created", "update": "edited", "delete": "deleted"}


def delivery(parcel: Parcel) -> str:
    """The id of a delivery; the same when it is sent again."""
    return parcel.header("webhook-id", "idempotency-key", "x-gitlab-event-uuid")


def check(parcel: Parcel, secret: str) -> None:
    """Raises `DeliveryError` unless the secret signed this (`whsec_...`), or is the token that came with it."""
    if not secret.startswith("whsec_"):
        given = parcel.header("x-gitlab-token")
        if not given:
            raise DeliveryError("there is no X-Gitlab-Token header; set the webhook's secret token", 401, "not_signed")
        if not signatures.equal(given, secret):
            raise DeliveryError("X-Gitlab-Token is not the secret token", 401, "not_genuine")
        return
    given, moment = parcel.header("webhook-signature"), parcel.header("webhook-timestamp")
    if not given:
        wanted = "there is no webhook-signature header; set the webhook's signing token"
        raise DeliveryError(wanted, 401, "not_signed")
    if not signatures.standard(secret, parcel.header("webhook-id"), moment, parcel.body, given):
        raise DeliveryError("webhook-signature is not the signature of this body", 401, "not_genuine")
    if not moment.isdecimal() or abs(time.time() - float(moment[:15])) > _OLDEST_SECONDS:
        raise DeliveryError("webhook-timestamp is more than five minutes from now", 401, "too_old")


def read(parcel: Parcel, body: Node, forge: str) -> Reading:
    """What a delivery says. Raises `ShapeError` that names the field."""
    kind = body.text("object_kind", "") or body.text("event_name")
    reader = _READERS.get(kind)
    if reader is None:
        return Reading(kind[:64], ignored="Pilothouse has no use for this kind of event")
    event = Event(delivery(parcel), forge, body.node("project").text("path_with_namespace"), "ping")
    if user := body.maybe("user"):
        login = user.text("username")
        event = replace(event, sender=login, sender_is_bot=shapes.is_bot(login))
    found = tuple(reader(event, body))
    # Several things may have changed at once: each is an event with an id of its own.
    found = tuple(replace(one, delivery=f"{one.delivery}/{n}") if n else one for n, one in enumerate(found))
    return Reading(kind, found, "" if found else f"Pilothouse has no use for this {kind}")


def _push(event: Event, body: Node) -> Iterator[Event]:
    ref = RefChange(body.text("ref"), body.text("before"), body.text("after"))
    login = body.text("user_username", "")
    yield replace(event, kind="push", ref=ref, sender=login, sender_is_bot=shapes.is_bot(login))


def _merge_request(event: Event, body: Node) -> Iterator[Event]:
    about = body.node("object_attributes")
    pull = _pull(about, body)
    event = replace(event, kind="pull_request", number=about.number("iid"), pull=pull, at=about.moment("updated_at"))
    action = about.text("action", "")
    if action in _LIFE:
        yield replace(event, action=_LIFE[action])
    elif action in _REVIEWS:
        done, state = _REVIEWS[action]
        review = Review(event.sender, state, "", event.at, _head(about))
        # An approval that GitLab itself withdraws, as after a push, is nobody's doing.
        yield replace(event, kind="review", action=done, review=review)
    elif action == "update":
        yield from _updated(event, about, body.maybe("changes") or Node({}, "changes"))


def _updated(event: Event, about: Node, changes: Node) -> Iterator[Event]:
    """An update says in `changes` what it was; new commits only by `oldrev`."""
    if before := about.text("oldrev", ""):
        yield replace(event, action="synchronize", before=before)
    if "draft" in changes:
        yield replace(event, action="draft" if changes.node("draft").flag("current", False) else "ready")
    if any(name in changes for name in ("title", "description", "target_branch")):
        yield replace(event, action="edited")
    if "milestone_id" in changes:
        now = changes.node("milestone_id").number("current", 0)
        yield replace(event, action="milestoned" if now else "demilestoned")
    if "reviewers" in changes:
        yield from _reviewed(event, about, changes.node("reviewers"))
    for field, name, came, went in _LISTS:
        if field not in changes:
            continue
        change = changes.node(field)
        was, now_ = set(change.texts("previous", name)), set(change.texts("current", name))
        for action, found in ((came, sorted(now_ - was)), (went, sorted(was - now_))):
            for one in found:
                yield replace(event, action=action, **({"label": one} if field == "labels" else {"logins": (one,)}))


def _reviewed(event: Event, about: Node, change: Node) -> Iterator[Event]:
    """A review that asks for changes, which GitLab tells by the state of its reviewer since
    https://gitlab.com/gitlab-org/gitlab/-/merge_requests/246562; approvals have an action of their own.
    """
    before = {one.text("username"): one.text("state", "") for one in change.nodes("previous")}
    for one in change.nodes("current"):
        login, state = one.text("username"), one.text("state", "")
        if state == "requested_changes" and before.get(login) not in (None, state):
            review = Review(login, "changes_requested", "", event.at, _head(about))
            yield replace(event, kind="review", action="submitted", review=review)


_LISTS: tuple[tuple[str, str, EventAction, EventAction], ...] = (
    ("labels", "title", "labeled", "unlabeled"),
    ("assignees", "username", "assigned", "unassigned"),
    ("reviewers", "username", "review_requested", "review_request_removed"),
)


def _note(event: Event, body: Node) -> Iterator[Event]:
    note = body.node("object_attributes")
    if note.text("noteable_type", "") != "MergeRequest" or note.flag("system", False):
        return
    about = body.node("merge_request")
    action: EventAction = "edited" if note.text("action", "create") == "update" else "created"
    comment = Comment(
        event.sender, note.text("note"), note.moment("created_at"), event.sender_is_bot, str(note.number("id")),
        note.text("url", ""),
    )  # fmt: skip
    at = note.moment("updated_at") or comment.at
    yield replace(event, kind="comment", action=action, number=about.number("iid"), comment=comment, at=at)


def _pipeline(event: Event, body: Node) -> Iterator[Event]:
    about = body.node("object_attributes")
    state, words = shapes.state_of(about.text("status")), about.text("detailed_status", "")
    at = about.moment("finished_at") or about.moment("created_at")
    status = Status(state, words, PIPELINE, about.text("url", ""), at)
    yield replace(event, kind="status", status=status, commit=about.text("sha"), at=at)


def _release(event: Event, body: Node) -> Iterator[Event]:
    if action := _RELEASED.get(body.text("action")):
        tag = RefChange(f"refs/tags/{body.text('tag')}", "", "")
        yield replace(event, kind="release", action=action, ref=tag, at=body.moment("created_at"))


def _pull(about: Node, body: Node) -> PullRequest | None:
    """The merge request as it was then; None where the payload does not say who wrote it, which it does by number."""
    author = about.number("author_id")
    people = [*body.nodes("assignees"), *body.nodes("reviewers")]
    if (user := body.maybe("user")) is not None:
        people.append(user)
    login = next((one.text("username") for one in people if one.number("id", 0) == author), "")
    if not login:
        return None
    target = about.node("target")
    source = about.maybe("source")
    base = BranchTip(target.text("path_with_namespace"), about.text("target_branch"), "")
    told = Node(
        {
            **about.value,
            "author": {"username": login},
            "sha": _head(about),
            "labels": list(about.texts("labels", "title")),
            "assignees": body.items("assignees"),
            "reviewers": body.items("reviewers"),
            "web_url": about.text("url", ""),
            "milestone": None,
        },
        about.path,
    )
    return shapes.pull_request(told, base, source.text("path_with_namespace") if source else "")


def _head(about: Node) -> str:
    last = about.maybe("last_commit")
    return last.text("id") if last else NO_COMMIT


_READERS: dict[str, Callable[[Event, Node], Iterator[Event]]] = {
    "push": _push, "tag_push": _push, "merge_request": _merge_request, "note": _note, "pipeline": _pipeline,
    "release": _release,
}  # fmt: skip
