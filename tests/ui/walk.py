"""The way of a change in the page: from its pull request over its run and its rollout to the verdict, by its links.

Walked over a demo that has told its tale; with `PILOTHOUSE_SCREENSHOTS` the pages on the way are painted.
"""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.ui.axe import violations
from tests.ui.pictures import paint

TITLE = "feat: take several coupons at once"


def walk_the_loop(page: Page, address: str) -> None:
    """From the list of pull requests to the evidence of the verdict, and from home by the newest verdict."""
    page.goto(f"{address}/delivery/pulls")
    page.get_by_role("button", name="Merged").click()
    page.get_by_role("link", name=TITLE).click()
    expect(page.get_by_role("heading", name=re.compile(f"^{TITLE}"), level=1)).to_be_visible()
    said = page.get_by_role("list", name="What was said")
    expect(said).to_contain_text("/lgtm")
    expect(said).to_contain_text("was taken back: checkout 1.1.0 is worse than 1.0.0")
    diff = page.get_by_role("region", name="Changes: diff")
    expect(diff).to_contain_text("+from itertools import combinations")
    paint(page, "pull-request")
    assert violations(page) == []

    # The run that tested it.
    page.get_by_role("list", name="Checks").get_by_role("link", name="test").click()
    expect(page.get_by_role("heading", name=re.compile("^test-1-"), level=1)).to_be_visible()
    expect(page.get_by_role("listbox", name="Log")).to_contain_text("OK")
    page.go_back()

    # What was said leads to the release as the rollout had judged it. Asked again, with the last orders of a version
    # that had some fifty, it may as well be too few to tell.
    said.get_by_role("link", name="the page").first.click()
    expect(page.get_by_role("region", name="checkout 1.1.0 is worse than 1.0.0", exact=True)).to_be_visible()
    # So does the link without anything that the demo prints.
    page.goto(f"{address}/releases/checkout/1.1.0")
    story = page.get_by_role("region", name="checkout 1.1.0 is worse than 1.0.0", exact=True)
    expect(story).to_contain_text("Worse")
    origin = page.get_by_role("region", name="Where it came from")
    expect(origin.get_by_role("link", name="shop/checkout#1")).to_be_visible()
    expect(origin).to_contain_text("v1.1.0")
    expect(page.get_by_role("progressbar")).to_have_count(0)
    paint(page, "release", dark=True, narrow=True)
    assert violations(page) == []

    # The rollout that asked for it, step by step.
    origin.get_by_role("link", name="rollout 1").click()
    expect(page.get_by_role("heading", name="checkout 1.0.0 → 1.1.0", level=1)).to_be_visible()
    expect(page.get_by_role("list", name="Steps")).to_contain_text("failed")
    expect(page.get_by_role("list", name="What happened")).to_contain_text("rolled back: all traffic goes to 1.0.0")
    expect(page.get_by_role("img", name="1.1.0 has 0 % of the traffic")).to_be_visible()
    paint(page, "rollout")

    # Home has both changes, and no run of a pipeline between the services.
    page.get_by_role("link", name=re.compile("^Pilothouse: ")).click()
    releases = page.get_by_role("list", name="Releases of checkout")
    bad = releases.get_by_role("listitem").filter(has=page.get_by_role("link", name="checkout 1.1.0"))
    expect(bad).to_contain_text("Worse")
    expect(releases.get_by_role("link", name="checkout 1.1.1")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("^pipeline"))).to_have_count(0)
    paint(page, "releases", dark=True, narrow=True)
    page.goto(f"{address}/delivery/environments")
    expect(page.get_by_role("list", name="Promotions")).to_contain_text("a rollback")
    paint(page, "environments")
