"""Ten thousand of everything, and names of any length: the page stays quick to lay out, and nothing runs over or hides.

The server's real answers are made longer on their way into the browser: one release becomes ten thousand, `checkout`
gets a hundred characters. What the page asks with a long name goes to the server with the short one.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Request, Route, expect

pytestmark = pytest.mark.browser

MANY = 10_000
# What a browser lays out well under load; ten thousand rows of five cells are seventy thousand.
ELEMENTS = 4_000
LONG = "a-service-with-a-very-long-name-that-somebody-made-of-team-product-region-and-purpose-without-mercy-checkout"
# In an address, a plus would be read as a space.
SHORT = re.compile(r"(?P<in_address>(?:(?<=[=,])|(?<=%2C|%22)|(?<=/checkout/))2\.0\.0)|2\.0\.0")
VERSION = "2.0.0-rc.1+build.20261126083201.sha.4f2a91c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1"
CUT = """
() => [...document.querySelectorAll("main *")].filter((one) => {
  const style = getComputedStyle(one);
  const hides = style.overflowX === "hidden" || style.overflowX === "clip";
  const over = hides && one.clientWidth > 2 && one.scrollWidth > one.clientWidth + 2;
  return over && one.textContent.trim() !== "" && !one.closest("[title], .hidden");
}).map((one) => `${one.tagName} ${one.className}: ${one.textContent.slice(0, 60)}`)
"""


def _answer(page: Page, path: str, made: Callable[[Any], Any]) -> None:
    """Answers a call with what `made` makes of the server's own answer."""

    def changed(route: Route) -> None:
        response = route.fetch()
        route.fulfill(json=made(response.json()))

    page.route(re.compile(re.escape(path) + r"(\?|$)"), changed)


def _many(one: Any, named: Callable[[Any, int], None]) -> list[Any]:
    """Ten thousand copies of a row, each changed by `named`."""
    rows = []
    for number in range(MANY):
        row = copy.deepcopy(one)
        named(row, number)
        rows.append(row)
    return rows


def _releases(said: Any) -> Any:
    def named(row: Any, number: int) -> None:
        row["service"] = f"service-{number:05d}"

    return {"releases": _many(said["releases"][0], named)}


def _findings(said: Any) -> Any:
    def named(row: Any, number: int) -> None:
        row["subject"] = f"Deployment shop/number-{number:05d}"

    return said | {"findings": _many(said["findings"][0], named)}


def _runs(said: Any) -> Any:
    row = {
        "name": "ship-run", "kind": "PipelineRun", "pipeline": "ship", "started": "2026-01-02T03:04:05Z",
        "duration_seconds": 1.0, "status": "True", "reason": "Succeeded", "uid": "1", "trace_id": "",
    }  # fmt: skip

    def named(row: Any, number: int) -> None:
        row["uid"] = row["name"] = f"ship-run-{number:05d}"

    return {"runs": _many((said["runs"] or [row])[0], named)}


def _metrics(said: Any) -> Any:
    facts = next(iter(said["data"].values()))
    return said | {"data": {f"metric_{number:05d}": facts for number in range(MANY)}}


def _vector(said: Any) -> Any:
    def named(row: Any, number: int) -> None:
        row["metric"]["shard"] = f"{number:05d}"

    return said | {"data": said["data"] | {"result": _many(said["data"]["result"][0], named)}}


# All are shown by the same part of the page; these two are the cards and a table.
ROWS_BY_DEFAULT = ("releases", "series")
ROWS: dict[str, tuple[str, str, Callable[[Any], Any], str, str]] = {
    "releases": ("/", "/api/releases", _releases, "service-00000", "Show 50 of 9,950 more"),
    "findings": ("/hazards", "/api/hazards", _findings, "Deployment shop/number-00000", "Show 20 of 9,980 more"),
    "runs": ("/delivery", "/api/pipelines/runs", _runs, "ship-run-00000", "Show 100 of 9,900 more"),
    "metrics": (
        "/explore/metrics", "/prometheus/api/v1/metadata", _metrics, "metric_00000", "Show 100 of 9,900 more",
    ),
    "series": (
        "/explore/metrics?view=table&query=max_over_time(process_threads[1h])", "/prometheus/api/v1/query", _vector,
        "00000", "Show 100 of 9,900 more",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rows", ROWS if os.environ.get("PILOTHOUSE_THOROUGH") else ROWS_BY_DEFAULT)
def test_ten_thousand_rows_come_by_the_hundred(page: Page, shop_url: str, rows: str) -> None:
    address, path, made, first, more = ROWS[rows]
    _answer(page, path, made)
    page.goto(shop_url + address)
    button = page.get_by_role("button", name=more)
    expect(button).to_be_visible()
    expect(page.get_by_text(first).first).to_be_visible()
    assert page.evaluate("document.querySelectorAll('*').length") < ELEMENTS
    button.click()
    expect(button).to_have_count(0)


def test_the_spans_of_a_great_trace_exist_where_they_are_seen(page: Page, shop_url: str) -> None:
    spans = 10_000

    def made(said: Any) -> Any:
        root = next(span for span in said["spans"] if not span["parent_span_id"])
        below = [
            copy.deepcopy(root) | {"span_id": f"{number:016x}", "parent_span_id": root["span_id"]}
            for number in range(1, spans)
        ]
        return said | {"spans": [root, *below]}

    page.goto(f"{shop_url}/explore/traces")
    link = page.get_by_role("link", name="gateway POST /buy").first
    address = link.get_attribute("href") or ""
    _answer(page, f"/api/traces/{address.split('/')[3].split('?')[0]}", made)
    link.click()
    rows = page.get_by_role("listbox", name="Spans in the order of the calls")
    rows.focus()
    page.keyboard.press("End")
    last = rows.get_by_role("option", selected=True)
    expect(last).to_have_attribute("aria-posinset", str(spans))
    assert page.evaluate("document.querySelectorAll('*').length") < ELEMENTS


def _lengthened(route: Route, request: Request) -> None:
    """Asks with the short names and answers with the long ones."""
    response = route.fetch(url=request.url.replace(LONG, "checkout").replace(quote(VERSION), "2.0.0"))
    text = SHORT.sub(lambda one: quote(VERSION) if one["in_address"] else VERSION, response.text())
    route.fulfill(response=response, body=re.sub(r'(?<=[" /])checkout(?=[" ])', LONG, text))


PAGES = {
    "releases": "/",
    "release": f"/releases/{LONG}/{VERSION.replace('+', '%2B')}?baseline=1.0.0",
    "logs": "/explore/logs?since=30m",
    "traces": "/explore/traces?since=30m",
    "explore": "/explore?since=30m",
    "graph": "/explore/traces?view=graph",
    "environments": "/delivery/environments",
    "mesh": "/mesh?since=30m",
    "hazards": "/hazards",
    "dashboard": "/dashboards/services?since=30m",
}
BY_DEFAULT = ("releases", "logs")


@pytest.mark.parametrize("name", PAGES if os.environ.get("PILOTHOUSE_THOROUGH") else BY_DEFAULT)
def test_long_names_neither_run_over_nor_hide(page: Page, shop_url: str, name: str) -> None:
    page.route(re.compile(r"/(api|loki/api|prometheus/api|tempo/api)/"), _lengthened)
    page.goto(shop_url + PAGES[name], wait_until="networkidle")
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_text(LONG).or_(page.get_by_title(LONG)).first).to_be_attached()
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
        assert page.evaluate(CUT) == [], width
