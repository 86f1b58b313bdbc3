"""The doors: forged, replayed, torn, huge, deep and wrong deliveries are refused, and no secret is ever told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from starlette.applications import Starlette

from pilothouse.delivery.inbox import Inbox
from pilothouse.delivery.webhooks import Door, api
from pilothouse.server.guarding import HANDLERS
from tests.delivery.app_client import AppClient
from tests.delivery.webhooks import forgejo_payloads, github_payloads, gitlab_payloads

SECRET, OLDER = "correct-horse-battery", "the-one-before"
SIGNING = "whsec_" + base64.b64encode(b"k" * 32).decode()
MOST = 200_000


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    opened = Inbox(f"sqlite:///{tmp_path / 'control.db'}")
    yield opened
    opened.close()


@pytest.fixture
def client(inbox: Inbox) -> AppClient:
    secrets = {"github": (SECRET, OLDER), "gitlab": (SECRET,), "forgejo": (SECRET,), "signed": (SIGNING,), "open": ()}
    kinds = {"signed": "gitlab", "open": "github"}
    doors = {
        name: Door(name, kinds.get(name, name), lambda found=found: found)  # type: ignore[misc]
        for name, found in secrets.items()
    }
    doors["narrow"] = Door("narrow", "github", lambda: (SECRET,), frozenset({"acme/other"}))
    return AppClient(Starlette(routes=api.routes(doors, inbox, MOST), exception_handlers=HANDLERS))


def digest(secret: str, body: bytes) -> str:
    """HMAC in hexadecimal."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def github(client: AppClient, body: bytes, secret: str = SECRET, identity: str = "d-1", to: str = "github",
           kind: str = "pull_request", **headers: str) -> httpx.Response:  # fmt: skip
    """A delivery as GitHub sends it."""
    sent = {"content-type": "application/json", "x-github-event": kind, "x-github-delivery": identity,
            "x-hub-signature-256": f"sha256={digest(secret, body)}"} | headers  # fmt: skip
    return client.post(f"/webhooks/{to}", content=body, headers=sent)


def gitlab(client: AppClient, body: bytes, secret: str = SECRET, identity: str = "d-1") -> httpx.Response:
    """A delivery as GitLab sends it, with a token."""
    headers = {"content-type": "application/json", "x-gitlab-token": secret, "x-gitlab-event-uuid": identity}
    return client.post("/webhooks/gitlab", content=body, headers=headers)


def signed(client: AppClient, body: bytes, secret: str = SIGNING, identity: str = "d-1",
           moment: float | None = None) -> httpx.Response:  # fmt: skip
    """A delivery as GitLab signs it."""
    at = str(int(time.time() if moment is None else moment))
    mac = hmac.new(base64.b64decode(secret[6:]), f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()
    headers = {"content-type": "application/json", "webhook-id": identity, "webhook-timestamp": at,
               "webhook-signature": f"v1,{base64.b64encode(mac).decode()}"}  # fmt: skip
    return client.post("/webhooks/signed", content=body, headers=headers)


def forgejo(client: AppClient, body: bytes, secret: str = SECRET, identity: str = "d-1") -> httpx.Response:
    """A delivery as Forgejo sends it."""
    headers = {"content-type": "application/json", "x-forgejo-event": "push", "x-forgejo-delivery": identity,
               "x-forgejo-signature": digest(secret, body)}  # fmt: skip
    return client.post("/webhooks/forgejo", content=body, headers=headers)


PULL = json.dumps(github_payloads.of_pull("opened")).encode()
SENDERS: list[tuple[Callable[..., httpx.Response], bytes]] = [
    (github, PULL), (gitlab, json.dumps(gitlab_payloads.push()).encode()),
    (signed, json.dumps(gitlab_payloads.push()).encode()), (forgejo, json.dumps(forgejo_payloads.push()).encode()),
]  # fmt: skip
each = pytest.mark.parametrize(("send", "body"), SENDERS, ids=["github", "gitlab", "gitlab signed", "forgejo"])


@each
def test_a_genuine_delivery_is_taken(client: AppClient, inbox: Inbox, send: Any, body: bytes) -> None:
    answer = send(client, body)
    assert (answer.status_code, answer.json()) == (200, {"delivery": "d-1", "taken": 1})
    assert inbox.counts() == {"waiting": 1}


@each
def test_a_forged_delivery_is_not(client: AppClient, inbox: Inbox, send: Any, body: bytes) -> None:
    other = "whsec_" + base64.b64encode(b"x" * 32).decode() if send is signed else "guessed"
    answer = send(client, body, other)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_genuine")
    assert inbox.counts() == {}


@each
def test_a_replayed_delivery_does_nothing(client: AppClient, inbox: Inbox, send: Any, body: bytes) -> None:
    send(client, body)
    again = send(client, body)
    assert (again.status_code, again.json()) == (200, {"delivery": "d-1", "taken": 0, "seen": True})
    # The id stands in a header that GitHub and Forgejo do not sign: the same bytes are known again.
    other = send(client, body, identity="d-2")
    assert other.json()["taken"] == 0
    assert inbox.counts() == {"waiting": 1}


def test_a_signed_delivery_that_somebody_kept_is_too_old(client: AppClient, inbox: Inbox) -> None:
    body = json.dumps(gitlab_payloads.push()).encode()
    for moment in (time.time() - 400, time.time() + 400):
        assert signed(client, body, moment=moment).json()["error"]["code"] == "too_old"
    assert inbox.counts() == {}


def test_a_changed_body_an_empty_signature_and_sha1_are_refused(client: AppClient) -> None:
    right = f"sha256={digest(SECRET, PULL)}"
    assert github(client, PULL + b" ", **{"x-hub-signature-256": right}).status_code == 401
    sha1 = hmac.new(SECRET.encode(), PULL, hashlib.sha1).hexdigest()
    for given in ("", "sha256=", f"sha1={sha1}", digest(SECRET, PULL), "sha256=ü"):
        answer = github(client, PULL, **{"x-hub-signature-256": given.encode("latin-1")})  # type: ignore[arg-type]
        assert answer.status_code == 401, given


def test_two_secrets_hold_while_one_replaces_the_other(client: AppClient) -> None:
    assert github(client, PULL, OLDER).json()["taken"] == 1


def test_a_forge_without_a_secret_takes_nothing(client: AppClient) -> None:
    answer = github(client, PULL, to="open")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "no_secret")
    assert github(client, PULL, to="nobody").status_code == 404


def test_what_is_not_configured_is_ignored_and_kept_as_such(client: AppClient, inbox: Inbox) -> None:
    assert "not among those" in github(client, PULL, to="narrow").json()["ignored"]
    star = json.dumps(github_payloads.whole(action="created")).encode()
    answer = github(client, star, kind="star", identity="d-2")
    assert (answer.status_code, answer.json()["taken"]) == (200, 0)
    assert {one.kind for one in inbox.events(state="ignored")} == {"pull_request", "star"}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [(PULL[:-20], 400, "not JSON"), (b"", 400, "not JSON"), (b"[]", 400, "must be an object"), (b"\xff\xfe", 400,
     "not JSON"), (b'{"a":' * 20_000, 400, "nested too deep"), (b'{"a":' * 500 + b"1" + b"}" * 500, 400,
     "nested deeper"), (b"[" * 100_000, 400, "nested too deep"), (b'{"action": ' + b"9" * 10_000 + b"}", 400,
     "not JSON"), (b'{"action": NaN}', 400, "action: must be text"), (PULL + b" " * MOST, 413, "larger than")],
)  # fmt: skip
def test_torn_deep_and_huge_bodies_are_refused_in_words(
    client: AppClient, inbox: Inbox, body: bytes, status: int, words: str
) -> None:
    answer = github(client, body)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]
    assert inbox.counts() == {}


def test_a_body_without_a_told_length_is_limited_too(client: AppClient) -> None:
    async def parts() -> Any:
        for _ in range(100):
            yield b" " * (MOST // 50)

    headers = {"content-type": "application/json", "transfer-encoding": "chunked"}
    assert client.post("/webhooks/github", content=parts(), headers=headers).status_code == 413


@pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", "text/plain", "", "application/jsonp"])
def test_another_content_type_is_refused(client: AppClient, media: str) -> None:
    answer = github(client, PULL, **{"content-type": media})
    assert (answer.status_code, answer.json()["error"]["field"]) == (415, "content-type")


def test_the_field_that_is_wrong_is_named(client: AppClient) -> None:
    body = json.dumps(github_payloads.of_pull("opened", changed={"number": "7"})).encode()
    error = github(client, body).json()["error"]
    assert (error["code"], error["field"]) == ("bad_shape", "pull_request.number")


@pytest.mark.parametrize("identity", ["", "x" * 300, "a\u00ad"])
def test_a_delivery_without_a_proper_id_is_refused(client: AppClient, identity: str) -> None:
    answer = github(client, PULL, **{"x-github-delivery": identity.encode("latin-1")})  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "delivery")


def test_secrets_are_in_no_answer_and_in_no_log(client: AppClient, inbox: Inbox) -> None:
    with structlog.testing.capture_logs() as logs:
        answers = [gitlab(client, b"{", SECRET), gitlab(client, b"{}", "mine-" + SECRET), github(client, b"{}", "x"),
                   signed(client, b"[]"), github(client, b'{"secret": "correct-horse-battery"}')]  # fmt: skip
    told = json.dumps(logs) + "".join(answer.text for answer in answers)
    assert len(logs) == 4
    assert SECRET not in told
    assert SIGNING not in told
    assert digest("x", b"{}") not in told
