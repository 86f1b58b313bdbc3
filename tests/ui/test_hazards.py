"""The known ways to get hurt: what was found in the shop's cluster, with its fix; all rules, searched."""

from __future__ import annotations

import re
import time

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.ui.axe import violations
from tests.ui.pictures import paint

pytestmark = pytest.mark.browser


def test_what_was_found_has_its_fix_as_a_diff_and_rules_tell_their_reason(
    page: Page, shop_url: str, verdict_path: str
) -> None:
    rules = httpx.get(f"{shop_url}/api/hazards/rules").json()["rules"]
    page.goto(f"{shop_url}/hazards")
    expect(page.get_by_role("heading", name=f"{len(rules)} known ways to get hurt")).to_be_visible()
    row = page.get_by_role("list", name="Found in the cluster").get_by_role("row").filter(has_text="0.5 cores")
    expect(row).to_contain_text("Deployment shop/checkout [app]")
    row.get_by_text("Fix", exact=True).click()
    change = row.get_by_role("region", name="The fix for Deployment shop/checkout [app]: diff")
    expect(change.get_by_text("-            cpu: 500m")).to_be_visible()
    expect(row.get_by_text("kubectl patch deployment.v1.apps checkout")).to_be_visible()
    paint(page, "hazards")
    # Rules are searched.
    page.get_by_role("searchbox", name="Find a rule").fill("DNS-001")
    expect(page.get_by_role("heading", name=re.compile(r"^\d known ways? to get hurt"))).to_be_visible()
    first = next(rule for rule in rules if rule["id"] == "DNS-001")
    page.get_by_text(first["title"]).first.click()
    expect(page.get_by_text(first["why"])).to_be_visible()
    expect(page).to_have_url(re.compile("find=DNS-001"))
    _with_processes(shop_url)
    page.get_by_role("searchbox", name="Find a rule").fill("ISO-005")
    page.get_by_text("ISO-005").click()
    expect(page.get_by_role("img", name="node_processes_pids")).to_be_visible()
    page.get_by_role("searchbox", name="Find a rule").fill("DNS-001")
    page.get_by_text(first["title"]).first.click()
    # Why it hurts and what was found are said in Japanese too.
    page.get_by_role("button", name="日本語").click()
    expect(page.get_by_text("既定の 5 ドットでは、api.example.com のような名前は")).to_be_visible()
    expect(page.get_by_text("app は最大 0.5 コアでリクエストを処理します")).to_be_visible()
    page.get_by_role("button", name="English").click()
    assert violations(page) == []
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("() => document.documentElement.scrollWidth <= 400")
    # The finding is on its service's release too, and leads back to the rule.
    page.goto(shop_url + verdict_path)
    found = page.get_by_role("region", name="Hazards").get_by_role("listitem")
    found.get_by_role("link", name="A small CPU limit stops the process").click()
    expect(page.get_by_role("searchbox", name="Find a rule")).to_have_value("ISO-003")


def _with_processes(shop_url: str) -> None:
    """A node on which nearly no process can be begun any more: what a rule's chart is the proof of."""
    now = str(time.time_ns())
    metrics = [
        {"name": name, "gauge": {"dataPoints": [{"timeUnixNano": now, "asInt": value, "attributes": [
            {"key": "instance", "value": {"stringValue": "node-1"}}]}]}}
        for name, value in (("node_processes_pids", 31_000), ("node_processes_max_processes", 32_768))
    ]  # fmt: skip
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}
    httpx.post(f"{shop_url}/otlp/v1/metrics", json=body).raise_for_status()
    query, deadline = "node_processes_pids / on (instance) node_processes_max_processes", time.monotonic() + 60
    while not httpx.get(f"{shop_url}/prometheus/api/v1/query", params={"query": query}).json()["data"]["result"]:
        assert time.monotonic() < deadline, "not stored after 60 s"
        time.sleep(0.2)


def test_without_a_cluster_it_says_how_to_check_manifests(page: Page, empty_url: str) -> None:
    page.goto(f"{empty_url}/hazards")
    expect(page.get_by_text("pilothouse check manifests/")).to_be_visible()
