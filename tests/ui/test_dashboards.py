"""Dashboards: always there, from the folder, from Grafana."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser

GRAFANA = {
    "title": "Shop of Grafana",
    "schemaVersion": 39,
    "templating": {"list": [{"name": "job", "type": "query", "query": "label_values(target_info, job)"}]},
    "panels": [
        {
            "title": "Orders", "type": "timeseries", "gridPos": {"w": 24}, "datasource": {"type": "prometheus"},
            "targets": [{"expr": 'sum by (job) (rate(shop_orders_total{job=~"$job"}[2m]))', "legendFormat": "{{job}}"}],
        },
        {
            "title": "Threads", "type": "stat", "datasource": {"type": "prometheus"},
            "targets": [{"expr": "max(max_over_time(process_threads[1h]))"}],
        },
        {
            "title": "Latency", "type": "heatmap", "datasource": {"type": "prometheus"},
            "fieldConfig": {"defaults": {"unit": "s"}},
            "targets": [{"expr": "sum by (le) (increase(http_server_request_duration_seconds_bucket[1m]))"}],
        },
        {
            "title": "By job", "type": "table", "datasource": {"type": "prometheus"},
            "targets": [{"expr": "count by (job) (last_over_time(target_info[1h]))"}],
        },
        {"title": "World", "type": "geomap", "targets": []},
    ],
}  # fmt: skip


def test_services_have_their_rate_errors_and_duration(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}/dashboards")
    page.get_by_role("link", name="Services").click()
    for title in ("Requests", "Failed requests", "Duration, 95th percentile", "Warnings and errors logged"):
        panel = page.get_by_role("region", name=title, exact=True)
        expect(panel.get_by_role("img", name=title)).to_be_visible()
        expect(panel.get_by_role("button", name="checkout", exact=True)).to_be_visible()
    page.get_by_label("Service").select_option("payments")
    expect(page).to_have_url(re.compile("var-service=payments"))
    requests = page.get_by_role("region", name="Requests", exact=True)
    expect(requests.get_by_role("button")).to_have_text(["payments"])
    expect(page.get_by_role("region", name="The newest errors")).to_contain_text("No line fits.")


def test_a_panel_that_takes_long_can_be_stopped(page: Page, shop_url: str) -> None:
    held: list[Route] = []
    page.route("**/prometheus/api/v1/query_range?*", lambda route: held.append(route))
    page.goto(f"{shop_url}/dashboards/workloads")
    panel = page.get_by_role("region", name="CPU", exact=True)
    panel.get_by_role("button", name="Stop").click()
    page.unroute("**/prometheus/api/v1/query_range?*")
    panel.get_by_role("button", name="Ask again").click()
    expect(panel.get_by_role("button", name="Ask again")).to_have_count(0)


def test_pilothouse_itself_is_there_without_being_configured(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}/dashboards")
    page.get_by_role("link", name="Pilothouse itself").click()
    memory = page.get_by_role("region", name="Memory", exact=True)
    expect(memory.get_by_role("img", name="Memory")).to_be_visible()
    expect(memory).to_contain_text(re.compile(r"\d+\s(MB|GB)"))
    # What grows is known from the second look on, five seconds later.
    expect(page.get_by_role("region", name="CPU cores used").get_by_role("img")).to_be_visible()


def test_a_grafana_dashboard_is_taken_over_and_says_what_was_lost(page: Page, shop_url: str, tmp_path: Path) -> None:
    file = tmp_path / "grafana.json"
    file.write_text(json.dumps(GRAFANA))
    page.goto(f"{shop_url}/dashboards")
    page.get_by_label("JSON file").set_input_files(file)
    expect(page.get_by_text("“Shop of Grafana”: 4 panels taken over.")).to_be_visible()
    page.get_by_text("1 thing could not be taken over").click()
    expect(page.get_by_text("World: a panel of type “geomap”")).to_be_visible()
    expect(page.get_by_role("region", name="Orders").get_by_role("button", name="checkout")).to_be_visible()
    expect(page.get_by_role("region", name="Threads")).to_contain_text("13")
    expect(page.get_by_role("img", name="Latency")).to_be_visible()
    expect(page.get_by_role("region", name="By job").get_by_role("row").filter(has_text="checkout")).to_contain_text(
        "2"
    )
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save it as a file").click()
    ours = json.loads(Path(saved.value.path()).read_text())
    assert [panel["title"] for panel in ours["panels"]] == ["Orders", "Threads", "Latency", "By job"]
    assert saved.value.suggested_filename == "shop-of-grafana.json"


def test_files_in_the_folder_are_dashboards_and_broken_ones_say_why(page: Page, shop_url: str) -> None:
    folder = Path(httpx.get(f"{shop_url}/api/dashboards").json()["folder"])
    folder.mkdir(exist_ok=True)
    (folder / "mine.json").write_text(json.dumps(GRAFANA | {"title": "Mine"}))
    (folder / "torn.json").write_text('{"title": ')
    (folder / "odd.json").write_text('{"title": "Odd", "panels": [{"title": "x", "type": "pie"}]}')
    page.goto(f"{shop_url}/dashboards")
    own = page.get_by_role("region", name="Your own")
    expect(own).to_contain_text("torn.json The file is not JSON")
    expect(own).to_contain_text("odd.json panels[0].type: is none of")
    own.get_by_role("link", name="Mine").click()
    expect(page.get_by_role("heading", name="Mine", level=1)).to_be_visible()
    expect(page.get_by_role("region", name="Orders").get_by_role("img")).to_be_visible()


def test_an_unknown_dashboard_leads_back(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}/dashboards/constructor")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
