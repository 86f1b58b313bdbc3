"""Settings, and going anywhere by its name."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser

MOVING = """
() => [...document.querySelectorAll("*")].filter((one) => parseFloat(getComputedStyle(one).transitionDuration)).length
  + document.getAnimations().length
"""


def test_settings_say_where_to_point_everything_and_make_tokens(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}/settings")
    known = httpx.get(f"{shop_url}/api/status").json()
    sdk = page.get_by_role("region", name="Point an SDK here")
    expect(sdk).to_contain_text(known["endpoints"]["otlp_grpc"])
    expect(sdk).to_contain_text(f"OTEL_EXPORTER_OTLP_ENDPOINT={known['endpoints']['otlp_http']}")
    expect(page.get_by_role("region", name="Grafana data sources")).to_contain_text(f"url: {shop_url}/prometheus")
    expect(page.get_by_role("region", name="This server")).to_contain_text(re.compile(r"Keeps telemetry for\s*30d"))
    # A token is made, told once, and taken back.
    panel = page.get_by_role("region", name="Tokens")
    expect(panel).to_contain_text("This server asks nobody for a token.")
    form = panel.get_by_role("form", name="Make a token")
    form.get_by_label("Known as").fill("agents")
    form.get_by_label("It may").select_option("ingest")
    form.get_by_label("Good for").fill("90d")
    form.get_by_role("button", name="Make a token").click()
    expect(panel.get_by_role("region", name="This is shown once.")).to_contain_text(re.compile("pht_[0-9a-f]{12}_"))
    token = panel.get_by_role("list", name="Tokens").get_by_role("listitem")
    expect(token).to_contain_text("send telemetry")
    token.get_by_role("button", name="Take agents back").click()
    token.get_by_role("button", name="Really take agents back").click()
    expect(panel).to_contain_text("There is no token yet.")


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
    options = dialog.get_by_role("option")
    # What comes later pushes nothing out that came before.
    expect(dialog.get_by_role("option", name="payments Service")).to_be_visible()
    expect(dialog.get_by_role("option", name="checkout 2.0.0 Release")).to_be_visible()
    box.fill("checkout 2")
    expect(options.first).to_contain_text("checkout 2.0.0")
    box.press("Enter")
    expect(page.get_by_role("heading", name="checkout 2.0.0", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    box.fill("paym")
    expect(options.first).to_contain_text("payments")
    box.press("Enter")
    expect(page).to_have_url(re.compile(r"/explore\?selector=service_name%3D%22payments%22"))
    page.keyboard.press("Control+k")
    box.fill("0" * 31 + "1")
    expect(options).to_have_text([re.compile("Trace$")])
    box.press("Escape")
    expect(box).to_have_count(0)


def test_keys_pressed_while_the_page_loads_are_not_lost(page: Page, shop_url: str) -> None:
    held: list[Route] = []
    page.route("**/assets/index-*.js", lambda route: held.append(route))
    page.goto(shop_url, wait_until="commit")
    page.wait_for_function("() => window.earlyKeys !== undefined")
    page.keyboard.press("Control+k")
    assert page.get_by_role("dialog").count() == 0, "its code has not arrived"
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    box = page.get_by_role("dialog", name="Go to").get_by_role("combobox")
    expect(box).to_be_focused()
    box.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_attribute("id", re.compile("1$"))


def test_the_focus_is_seen_and_comes_back_after_a_dialog(page: Page, shop_url: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(shop_url)
    expect(page.get_by_role("heading", name="Releases", level=1)).to_be_visible()
    # In the order in which they stand: the way past the sections, home, the sections.
    stops = []
    for _ in range(4):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.textContent"))
        seen = page.evaluate(
            "(({outlineStyle: s, outlineWidth: w}) => [s, w])(getComputedStyle(document.activeElement))"
        )
        assert seen == ["solid", "2px"], stops
    assert stops == ["Skip to the content", "Pilothouse", "Releases", "Rollouts"]
    for name, dialog in {"Keyboard shortcuts": "Keyboard shortcuts", "Go to": "Go to"}.items():
        button = page.get_by_role("button", name=name, exact=True)
        button.press("Enter")
        expect(page.get_by_role("dialog", name=dialog)).to_be_visible()
        page.keyboard.press("Escape")
        expect(button).to_be_focused()
    page.goto(f"{shop_url}/explore/traces")
    time = page.get_by_label("Time range")
    time.focus()
    time.select_option("choose")
    expect(page.get_by_role("dialog", name="Choose two times…")).to_be_visible()
    page.keyboard.press("Escape")
    expect(time).to_be_focused()
    # Who wants no motion gets none.
    assert page.evaluate(MOVING) == 0
    page.emulate_media(reduced_motion="null")


def test_every_section_has_a_key(page: Page, shop_url: str) -> None:
    page.goto(shop_url)
    for key, path in {"l": "/explore/logs", "m": "/explore/metrics", "s": "/settings", "e": "/explore"}.items():
        page.get_by_role("main").focus()
        page.keyboard.type(f"g{key}")
        expect(page).to_have_url(re.compile(f"{re.escape(path)}$"))
