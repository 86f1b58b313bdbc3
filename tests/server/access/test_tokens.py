"""Tokens: made, known, bounded, taken back; nothing that is kept is one."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from typer.testing import CliRunner

from pilothouse.cli.program import program
from pilothouse.control.opening import open_database
from pilothouse.server.access import tables
from pilothouse.server.access.callers import secret_of
from pilothouse.server.access.tokens import TokenError, TokenStore


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "control.db"


@pytest.fixture
def store(file: Path) -> TokenStore:
    return TokenStore(open_database(f"sqlite:///{file}"))


def test_a_token_is_known_by_its_text_alone(store: TokenStore, file: Path) -> None:
    text, made = store.create("ci", ["act", "ingest"], "shop")
    found = store.caller(text)
    assert found is not None
    assert (found.name, found.scopes, found.tenant, found.session) == ("ci", {"act", "ingest"}, "shop", False)
    assert made.scopes == ("ingest", "act")
    secret = text.split("_", 2)[2]
    if file.exists():
        assert secret.encode() not in file.read_bytes()
    database = open_database(f"sqlite:///{file}")
    with database.connect() as connection:
        assert secret not in str(connection.execute(select(tables.tokens)).all())
    database.dispose()
    assert secret not in repr(store.all())


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"), str.upper, lambda text: ""]
)
def test_another_text_is_nobody(store: TokenStore, change: object) -> None:
    text, _ = store.create("ci", ["read"])
    assert store.caller(change(text)) is None  # type: ignore[operator]


def test_a_token_that_was_taken_back_or_is_over_is_nobody(store: TokenStore) -> None:
    text, made = store.create("ci", ["read"])
    over, _ = store.create("over", ["read"], lifetime=-1)
    assert store.caller(text)
    assert store.caller(over) is None
    assert [one.id for one in store.revoke(made.id)] == [made.id]
    assert store.caller(text) is None
    with pytest.raises(TokenError, match="there is no token"):
        store.revoke(made.id)


@pytest.mark.parametrize(
    ("name", "scopes", "tenant"),
    [("", ["read"], ""), ("a\nb", ["read"], ""), ("a", [], ""), ("a", ["all"], ""), ("a", ["read"], "../x")],
)
def test_what_cannot_be_a_token_is_said(store: TokenStore, name: str, scopes: list[str], tenant: str) -> None:
    with pytest.raises(TokenError):
        store.create(name, scopes, tenant)


def _basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ({"authorization": "Bearer pht_x"}, ("pht_x", False)),
        ({"authorization": f"Basic {_basic('who:pht_x')}"}, ("pht_x", False)),
        ({"authorization": f"ApiKey {_basic('id:pht_x')}"}, ("pht_x", False)),
        ({"dd-api-key": "pht_x"}, ("pht_x", False)),
        ({"cookie": "a=b; pilothouse_session=pht_x"}, ("pht_x", True)),
        ({"authorization": "Basic ???"}, ("", False)),
        ({}, ("", False)),
    ],
)
def test_a_secret_is_found_where_each_client_puts_it(headers: dict[str, str], secret: tuple[str, bool]) -> None:
    assert secret_of(headers) == secret


@given(st.text(), st.text())
def test_no_header_breaks_it(authorization: str, cookie: str) -> None:
    secret_of({"authorization": authorization, "cookie": cookie})


def test_the_command_makes_lists_and_takes_back(tmp_path: Path) -> None:
    runner, app, data = CliRunner(), program("tokens"), ["--data", str(tmp_path / "data")]
    made = runner.invoke(app, ["token", "create", "ci", "--scope", "act", "--expires", "90d", *data])
    assert made.exit_code == 0, made.output
    token = made.stdout.strip()
    listed = runner.invoke(app, ["token", "list", *data, "--output", "json"]).stdout
    assert '"name": "ci"' in listed
    assert token not in listed
    assert runner.invoke(app, ["token", "revoke", "ci", *data]).exit_code == 0
    again = runner.invoke(app, ["token", "revoke", "ci", *data])
    assert again.exit_code == 3
    assert "there is no token" in again.output
    refused = runner.invoke(app, ["token", "create", "x", "--scope", "everything", *data])
    assert refused.exit_code == 3
    assert "ingest, read, act, admin" in refused.output
