"""A server that asks who is there: from a deep link to the sign-in page, and back to what the link was about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Page, expect

from pilothouse.server.access.token_files import new_token
from tests.running import start_server
from tests.ui.axe import violations
from tests.ui.conftest import Watch

pytestmark = pytest.mark.browser
TOKEN = new_token()[0]


@pytest.fixture
def closed_url(build_page: ModuleType, tmp_path: Path) -> Iterator[str]:
    """A server to which only the bearer of `TOKEN` may speak."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ann read,act {TOKEN}\n")
    running = start_server(tmp_path, PILOTHOUSE_REQUIRE_TOKENS="true", PILOTHOUSE_TOKENS_FILE=str(tokens))
    yield running.http
    running.stop()


def test_a_deep_link_leads_through_signing_in_and_back(own_page: Page, closed_url: str, watch: Watch) -> None:
    wanted = "/explore/logs?since=6h&contains=refused"
    own_page.goto(closed_url + wanted)
    expect(own_page).to_have_url(re.compile(r"/sign-in\?next="))
    field = own_page.get_by_label("A token with the scope read")
    expect(field).to_be_focused()
    field.fill("guessed")
    own_page.get_by_role("button", name="Sign in").click()
    expect(own_page.get_by_text("This is not a token that is known here.")).to_be_visible()
    field.fill(TOKEN)
    own_page.get_by_role("button", name="Sign in").click()
    expect(own_page).to_have_url(closed_url + wanted)
    expect(own_page.get_by_role("heading", name="Logs", level=1)).to_be_visible()
    assert violations(own_page) == []
    # The browser's own lines about the answers of 401 that led here.
    assert all("401" in error for error in watch.errors)
    watch.errors.clear()
