"""Signing in by OpenID Connect, against a provider on loopback that speaks the real protocol."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pilothouse.control.opening import open_database
from pilothouse.server.access.callers import SESSION
from pilothouse.server.access.openid import OpenId, Provider
from pilothouse.server.access.signing_in import SigningIn
from pilothouse.server.access.tokens import TokenStore
from tests.server.access.provider import StandInProvider, provider

_ANA = {"email": "ana@example.org", "email_verified": True, "groups": ["sre", "cooks"], "org": "shop"}


@pytest.fixture(scope="module")
def standing() -> Iterator[StandInProvider]:
    with provider() as found:
        yield found


@pytest.fixture
def remote(standing: StandInProvider) -> StandInProvider:
    standing.person, standing.spoil, standing.wrong_key = dict(_ANA), {}, False
    return standing


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(open_database(f"sqlite:///{tmp_path}/control.db"))


def _browser(remote: StandInProvider, store: TokenStore, **settings: object) -> TestClient:
    known = Provider(remote.address, remote.client_id, remote.client_secret, **settings)  # type: ignore[arg-type]
    app = Starlette(routes=SigningIn(store, OpenId(known), "https://pilot.example").routes())
    return TestClient(app, "https://pilot.example", follow_redirects=False)


def _sign_in(browser: TestClient) -> httpx.Response:
    """As a browser goes: to the provider, and back to where it says."""
    leaving = browser.get("/sign-in/openid")
    assert leaving.status_code == 303
    back = httpx.get(leaving.headers["location"]).headers["location"]
    assert back.startswith("https://pilot.example/sign-in/openid/callback?")
    return browser.get(back.removeprefix("https://pilot.example"))  # type: ignore[return-value]


def test_who_is_signed_in_may_what_their_groups_say(remote: StandInProvider, store: TokenStore) -> None:
    browser = _browser(remote, store, roles={"groups:sre": "act", "groups:owners": "admin"}, tenant_claim="org")
    answer = _sign_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = next(text for text in answer.headers.get_list("set-cookie") if text.startswith(SESSION))
    assert {"Secure", "HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    caller = store.caller(cookie.partition("=")[2].partition(";")[0])
    assert caller is not None
    assert (caller.name, caller.scopes, caller.tenant, caller.session) == (
        "ana@example.org",
        {"read", "act"},
        "shop",
        True,
    )


@pytest.mark.parametrize(("verified", "scopes"), [(True, {"read", "admin"}), (False, {"read"})])
def test_an_address_counts_when_the_provider_has_verified_it(
    remote: StandInProvider, store: TokenStore, verified: bool, scopes: set[str]
) -> None:
    remote.person["email_verified"] = verified
    _sign_in(_browser(remote, store, roles={"email:ana@example.org": "admin"}))
    [token] = store.all(sessions=True)
    assert set(token.scopes) == scopes


@pytest.mark.parametrize(
    "spoil",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"exp": int(time.time()) - 3600}, {"nonce": "other"},
        {"sub": None},
    ],
)  # fmt: skip
def test_an_id_token_that_is_not_for_us_signs_nobody_in(
    remote: StandInProvider, store: TokenStore, spoil: dict[str, object]
) -> None:
    remote.spoil = spoil
    answer = _sign_in(_browser(remote, store))
    assert answer.status_code == 403
    assert not store.all(sessions=True)


def test_nor_does_one_with_another_signature(remote: StandInProvider, store: TokenStore) -> None:
    remote.wrong_key = True
    answer = _sign_in(_browser(remote, store))
    assert answer.status_code == 403
    assert "ID token is not good" in answer.text
    assert not store.all(sessions=True)


def test_who_has_no_role_or_no_tenant_stays_outside(remote: StandInProvider, store: TokenStore) -> None:
    assert "may do nothing here" in _sign_in(_browser(remote, store, default_scope="")).text
    assert "has no tenant" in _sign_in(_browser(remote, store, tenant_claim="company")).text
    assert not store.all(sessions=True)


def test_an_answer_to_a_question_that_was_not_asked_here_is_refused(remote: StandInProvider, store: TokenStore) -> None:
    browser = _browser(remote, store)
    location = httpx.get(browser.get("/sign-in/openid").headers["location"]).headers["location"]
    back = location.removeprefix("https://pilot.example")
    another = _browser(remote, store)
    assert "not begun here" in another.get(back).text
    assert browser.get(back + "x").status_code == 403
    # A code is good once.
    assert browser.get(back).status_code == 303
    browser.cookies.clear()
    assert browser.get(back).status_code == 403
    refused = browser.get("/sign-in/openid/callback?error=access_denied&state=<script>")
    assert "<script>" not in refused.text


def test_a_provider_that_is_away_is_said_to_be(store: TokenStore) -> None:
    away = StandInProvider(address="http://127.0.0.1:1")
    answer = _browser(away, store).get("/sign-in/openid")
    assert answer.status_code == 502
    assert "does not answer" in answer.text
