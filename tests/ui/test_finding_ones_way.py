"""Settings, and going anywhere by its name."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_settings_say_where_to_point_everything(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}/settings")
    known = httpx.get(f"{shop_url}/api/status").json()
    sdk = page.get_by_role("region", name="Point an SDK here")
    expect(sdk).to_contain_text(known["endpoints"]["otlp_grpc"])
    expect(sdk).to_contain_text(f"OTEL_EXPORTER_OTLP_ENDPOINT={known['endpoints']['otlp_http']}")
    expect(page.get_by_role("region", name="Grafana data sources")).to_contain_text(f"url: {shop_url}/prometheus")
    expect(page.get_by_role("region", name="This server")).to_contain_text(re.compile(r"Keeps telemetry for\s*30d"))


def test_grafana_s_addresses_answer(shop_url: str) -> None:
    for path in (
        "/prometheus/api/v1/status/buildinfo", "/loki/api/v1/status/buildinfo", "/tempo/api/echo",
        "/pyroscope/label-names", "/jaeger/api/services",
    ):  # fmt: skip
        assert httpx.get(shop_url + path).status_code == 200, path


def test_the_palette_goes_to_services_releases_and_traces(page: Page, shop_url: str) -> None:
    page.goto(shop_url)
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Go to")
    box = dialog.get_by_role("combobox")
    expect(dialog.get_by_role("option", name=re.compile("^checkout 2.0.0"))).to_be_visible()
    box.fill("checkout 2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="checkout 2.0.0", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    box.fill("paym")
    expect(dialog.get_by_role("option").first).to_contain_text("payments")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/explore\?selector=service_name%3D%22payments%22"))
    page.keyboard.press("Control+k")
    box.fill("0" * 31 + "1")
    expect(dialog.get_by_role("option")).to_have_text([re.compile("Trace$")])
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)


def test_every_section_has_a_key(page: Page, shop_url: str) -> None:
    page.goto(shop_url)
    for key, path in {"l": "/explore/logs", "m": "/explore/metrics", "s": "/settings", "e": "/explore"}.items():
        page.get_by_role("main").focus()
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page).to_have_url(re.compile(f"{re.escape(path)}$"))
