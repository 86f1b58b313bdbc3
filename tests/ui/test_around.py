"""What changed at any time."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.thorough import THOROUGH
from tests.ui.axe import violations
from tests.ui.conftest import Watch

pytestmark = pytest.mark.browser


def test_what_changed_at_a_time_is_told_like_a_verdict(
    page: Page, shop_url: str, verdict_path: str, watch: Watch
) -> None:
    page.goto(shop_url + verdict_path)
    page.get_by_role("link", name="What changed?").click()
    form = page.get_by_role("form", name="What changed?")
    expect(form.get_by_label("Service")).to_have_value("checkout")
    form.get_by_label("When, or how long ago").fill("16m")
    form.get_by_label("How long after it").select_option("5m")
    form.get_by_role("button", name="Tell me").click()
    expect(page).to_have_url(re.compile("at=16m&around=5m"))
    expect(page.get_by_role("heading", name=re.compile("checkout after"), level=2)).to_be_visible()
    # A verdict's parts, which `test_release_story` has axe look at; `test_every_page` does at this page.
    if THOROUGH:
        assert violations(page) == []
    form.get_by_label("When, or how long ago").fill("some day")
    form.get_by_role("button", name="Tell me").click()
    expect(page.get_by_role("alert")).to_contain_text("at: 'some day' is not a time")
    watch.errors.clear()
