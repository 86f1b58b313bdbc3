"""Asking a forge: patient where that is safe, sparing, within its limits, and silent about secrets."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pilothouse.delivery.forges import (
    AccessError,
    ConflictError,
    ForgeError,
    InvalidError,
    MissingError,
    UnavailableError,
)
from pilothouse.delivery.forges.remote.calling import Caller, path_of
from pilothouse.delivery.forges.remote.limits import Budget, seconds_to_wait
from pilothouse.delivery.forges.remote.secrets import Secret, SecretError

TOKEN = "ghp_very-secret-token"
Answering = Callable[[httpx.Request], httpx.Response]


class Asking:
    """A caller whose forge answers as it is told; what it slept and asked is written down."""

    def __init__(self, *answers: Answering | httpx.Response | Exception, patience: float = 5.0) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []
        self.now = 1_000.0
        self.refused: list[bool] = []
        self.caller = Caller(
            "theirs", "https://forge.test/api/v1", self._authorize, patience=patience,
            transport=httpx.MockTransport(self._answer), sleep=self._sleep, clock=lambda: self.now,
        )  # fmt: skip

    def _authorize(self, anew: bool) -> dict[str, str]:
        self.refused.append(anew)
        return {"authorization": f"Bearer {TOKEN}"}

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer


def says(status: int, content: Any = None, **headers: str) -> httpx.Response:
    """An answer."""
    return httpx.Response(status, json=content, headers={name.replace("_", "-"): one for name, one in headers.items()})


FINE = says(200, {"ok": True})


@pytest.mark.parametrize("broken", [says(500), says(502), says(503), httpx.ConnectError("refused"),
                                    httpx.ReadTimeout("slow")])  # fmt: skip
def test_a_safe_call_is_tried_again_and_others_are_not(broken: Any) -> None:
    patient = Asking(broken, broken, FINE)
    assert patient.caller.get("/user") == {"ok": True}
    assert len(patient.asked) == 3
    assert all(0 < pause < 5 for pause in patient.slept)
    once = Asking(broken, FINE)
    with pytest.raises(UnavailableError):
        once.caller.send("POST", "/repos/a/b/issues/1/comments", {"body": "hm"})
    assert len(once.asked) == 1


def test_it_gives_up_after_some_attempts() -> None:
    asking = Asking(says(502, {"message": "bad gateway"}))
    with pytest.raises(UnavailableError, match="theirs: GET /user: 502: bad gateway"):
        asking.caller.get("/user")
    assert len(asking.asked) == 4


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidError), (401, AccessError), (403, AccessError), (404, MissingError), (405, ConflictError),
     (409, ConflictError), (410, MissingError), (422, InvalidError), (418, UnavailableError)],
)  # fmt: skip
def test_refusals_are_told_in_the_forges_words(status: int, kind: type[ForgeError]) -> None:
    asking = Asking(says(status, {"message": "No", "errors": [{"message": "because"}, {"code": "missing"}]}))
    with pytest.raises(kind, match=rf"^theirs: PATCH /repos/a/b: {status}: No: because: missing"):
        asking.caller.send("PATCH", "/repos/a/b", {})


def test_a_token_that_ended_is_asked_for_anew_once() -> None:
    asking = Asking(says(401), FINE)
    assert asking.caller.get("/user") == {"ok": True}
    assert asking.refused == [False, True]
    with pytest.raises(AccessError, match="is the token right"):
        Asking(says(401)).caller.get("/user")


# -- limits


@pytest.mark.parametrize(
    ("status", "headers", "words", "seconds"),
    [
        (429, {"retry-after": "7"}, "", 7.0),
        (403, {"retry-after": "7"}, "secondary rate limit", 7.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1030"}, "", 30.0),
        (429, {"ratelimit-remaining": "0", "ratelimit-reset": "1030"}, "", 30.0),
        (403, {}, "You have exceeded a secondary rate limit.", 60.0),
        (429, {}, "", 60.0),
        (429, {"retry-after": "soon"}, "", 60.0),
        (429, {"retry-after": "0"}, "", 1.0),
        (429, {"retry-after": "999999"}, "", 3600.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, "", 1.0),
        (403, {}, "Resource not accessible", None),
        (200, {"x-ratelimit-remaining": "0"}, "", None),
    ],
)
def test_what_limits_say(status: int, headers: dict[str, str], words: str, seconds: float | None) -> None:
    assert seconds_to_wait(status, headers, words, 1000.0) == seconds


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_short_limit_is_waited_for_and_the_call_sent_again(method: str) -> None:
    """What a limit refused was not done: also a call that changes something may be sent again."""
    asking = Asking(says(429, {}, retry_after="3"), FINE)
    assert asking.caller.send(method, "/x") == {"ok": True}
    assert asking.slept == [3.0]


def test_a_long_limit_is_told_and_nothing_is_asked_until_then() -> None:
    asking = Asking(says(403, {"message": "secondary rate limit"}, retry_after="120"), FINE)
    with pytest.raises(UnavailableError, match="asks to wait 120 s") as caught:
        asking.caller.get("/x")
    assert caught.value.retry_after == pytest.approx(120)
    with pytest.raises(UnavailableError):
        asking.caller.get("/y")
    assert len(asking.asked) == 1
    asking.now += 121
    assert asking.caller.get("/x") == {"ok": True}


def test_the_last_call_that_is_left_is_heeded() -> None:
    """An answer that went well may say that it was the last."""
    asking = Asking(says(200, {}, x_ratelimit_remaining="0", x_ratelimit_reset="1004"), FINE)
    asking.caller.get("/x")
    asking.caller.get("/x")
    assert asking.slept == [pytest.approx(4.0)]


def test_a_budget_only_grows() -> None:
    budget = Budget()
    budget.wait(60, 1000)
    budget.wait(60, 1000)
    budget.heard({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1010"})
    assert budget.seconds(1000) == 60
    assert budget.seconds(2000) == 0


# -- ETags, pages


def test_what_did_not_change_is_not_fetched_again() -> None:
    def tagged(request: httpx.Request) -> httpx.Response:
        if request.headers.get("if-none-match") == '"1"':
            return httpx.Response(304, headers={"etag": '"1"'})
        return says(200, {"n": 1}, etag='"1"')

    asking = Asking(tagged)
    assert [asking.caller.get("/x"), asking.caller.get("/x"), asking.caller.get("/x", ref="b")] == [{"n": 1}] * 3
    assert [request.headers.get("if-none-match") for request in asking.asked] == [None, '"1"', None]


def test_pages_are_followed_and_a_new_one_after_a_full_one_is_seen() -> None:
    items = [{"id": number} for number in range(20)]

    def paged(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", "1"))
        here = items[(page - 1) * 10 : page * 10]
        link = {"link": f'<https://forge.test/api/v1/x?page={page + 1}>; rel="next"'} if page * 10 < len(items) else {}
        tag = f'"{len(here)}-{page}"'
        if request.headers.get("if-none-match") == tag:
            return httpx.Response(304)
        return says(200, here, etag=tag, **link)

    asking = Asking(paged)
    assert list(asking.caller.pages("/x")) == items
    items.append({"id": 20})
    # The second page is as it was, but a third one follows: an answer of 304 would not say so.
    assert list(asking.caller.pages("/x")) == items


def test_a_list_without_end_is_given_up() -> None:
    asking = Asking(says(200, [1], link='<https://forge.test/api/v1/x?page=2>; rel="next"'))
    with pytest.raises(UnavailableError, match="more than 100 pages"):
        list(asking.caller.pages("/x"))


@pytest.mark.parametrize("elsewhere", ["https://evil.test/x", "http://forge.test/api/v1/x", "https://forge.test:444/x"])
def test_the_token_goes_to_no_other_host(elsewhere: str) -> None:
    paged = Asking(says(200, [1], link=f'<{elsewhere}>; rel="next"'))
    with pytest.raises(UnavailableError, match="another host"):
        list(paged.caller.pages("/x"))
    moved = Asking(says(301, None, location=elsewhere))
    with pytest.raises(UnavailableError, match="another host"):
        moved.caller.get("/x")
    assert {request.url.host for request in [*paged.asked, *moved.asked]} == {"forge.test"}


def test_a_renamed_repository_is_found_for_reading_only() -> None:
    moved = says(301, None, location="https://forge.test/api/v1/repositories/7")
    assert Asking(moved, FINE).caller.get("/repos/a/b") == {"ok": True}
    with pytest.raises(MissingError, match="use its new name"):
        Asking(moved, FINE).caller.send("POST", "/repos/a/b/labels", {})


# -- what comes


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_no_json_is_said(body: bytes) -> None:
    with pytest.raises(UnavailableError, match="not JSON"):
        Asking(httpx.Response(200, content=body)).caller.get("/x")


def test_an_answer_without_an_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilothouse.delivery.forges.remote.calling._LARGEST", 1_000)
    with pytest.raises(UnavailableError, match="larger than"):
        Asking(httpx.Response(200, content=b"x" * 2_000)).caller.get("/x")


@pytest.mark.parametrize("path", ["../x", "a/../../b", "./a", "a/./b"])
def test_a_path_never_leads_upwards(path: str) -> None:
    with pytest.raises(InvalidError):
        path_of(path)


def test_a_path_is_one_path() -> None:
    assert path_of("a b/c?d#e%2f/ü") == "a%20b/c%3Fd%23e%252f/%C3%BC"


# -- secrets


def test_secrets_are_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    echoing = says(422, {"message": f"token {TOKEN} is odd", "errors": [{"message": f"Bearer {TOKEN}"}]})
    for answer in (echoing, says(401, {"message": TOKEN}), says(500, {"message": TOKEN}), httpx.ConnectError(TOKEN)):
        with pytest.raises(ForgeError) as caught:
            Asking(answer).caller.send("POST", "/x?token=a", {"secret": TOKEN})
        told.append(f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}")
    assert TOKEN not in " ".join(told)
    assert TOKEN not in caplog.text


def test_a_secret_is_a_place_and_read_when_it_is_needed(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    secret = Secret(f"file:{file}")
    with pytest.raises(SecretError, match="No such file"):
        secret.read()
    file.write_text("one\n")
    assert secret.read() == "one"
    file.write_text("two\n")
    assert secret.read() == "two"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SecretError, match="is not text"):
        secret.read()
    monkeypatch.setenv("HERE", " x ")
    assert Secret("env:HERE").read() == "x"
    with pytest.raises(SecretError, match="env:GONE: is empty or not set"):
        Secret("env:GONE").read()
    with pytest.raises(SecretError) as caught:
        Secret(TOKEN)
    assert TOKEN not in str(caught.value)
    assert "two" not in repr(secret)


def test_many_threads_share_one_caller() -> None:
    asking = Asking(FINE)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(asking.caller.get("/x"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{"ok": True}] * 20
    assert json.dumps(found)
    asking.caller.close()
