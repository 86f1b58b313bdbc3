"""A browser, the built page, and servers for it.

`shop_url` is a real `pilothouse up` that knows twenty minutes of a shop. `page_url` is a stand-in of the releases' API,
for what a real judge does not say on demand; it can be pointed at a running Pilothouse with `PILOTHOUSE_PAGE_URL`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.loading import module_at
from tests.running import start_server
from tests.ui.shop import make_shop, send_shop
from tests.ui.shop_cluster import start_cluster
from tests.ui.shop_environments import write_environments
from tests.ui.shop_mesh import send_mesh, write_mesh
from tests.ui.shop_pipelines import write_pipelines
from tests.ui.standin import serving, standin

UI = Path(__file__).resolve().parents[2] / "ui"
# The shell has Chromium's pages without Chromium's windows, for three fifths of the CPU.
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _BROWSERS)), None)
# Generous: other tests run at the same time, on machines of any speed.
expect.set_options(timeout=60_000)
SIZE: ViewportSize = {"width": 1280, "height": 900}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium, browser tests are skipped and say why."""
    if CHROMIUM is not None:
        return
    skip = pytest.mark.skip(reason="Chromium is not installed (apt-get install chromium-headless-shell)")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def build_page() -> ModuleType:
    """`ui/build_page.py`, with the page built and the tools of the tests installed."""
    return with_the_page_built()


def with_the_page_built() -> ModuleType:
    """The same for those that have no fixtures of this package."""
    module = module_at(UI / "build_page.py")
    module.build_page(tools=True)
    return module


@pytest.fixture(scope="package")
def shop_url(build_page: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running Pilothouse to which the shop's telemetry was sent and that watches its cluster; no slash at the end."""
    folder = tmp_path_factory.mktemp("shop")
    cluster = start_cluster(folder)
    running = start_server(
        folder,
        "--kube",
        KUBECONFIG=str(cluster.kubeconfig),
        PILOTHOUSE_PIPELINES=str(write_pipelines(folder / "pipelines")),
        PILOTHOUSE_ENVIRONMENTS=str(write_environments(folder / "environments")),
        PILOTHOUSE_MESH_CONFIG=str(write_mesh(folder / "mesh")),
        # Inserts are most of its CPU; what it is sent and says of itself comes several times a second.
        PILOTHOUSE_FLUSH_INTERVAL="2s",
    )
    shop = make_shop()
    send_shop(running.http, shop)
    send_mesh(running.http)
    running.wait_for("/api/logs", "count", sum(map(len, shop.lines.values())), 90, count="1")
    running.wait_for("/api/profiles/types", "types", 1, 90)
    yield running.http
    running.stop()
    cluster.stop()


@pytest.fixture(scope="package")
def verdict_path(shop_url: str) -> str:
    """The page of the verdict on the shop's checkout 2.0.0, given once by the real judge, as home links to it."""
    asked = {"service": "checkout", "baseline": "1.0.0", "candidate": "2.0.0"}
    judged = httpx.get(f"{shop_url}/api/compare", params=asked, timeout=180).raise_for_status().json()
    assert judged["verdict"] == "worse", judged["summary"]
    known = httpx.get(f"{shop_url}/api/releases", timeout=60).raise_for_status().json()["releases"]
    return str(
        next(one["verdict"]["page"] for one in known if (one["service"], one["version"]) == ("checkout", "2.0.0"))
    )


@pytest.fixture(scope="package")
def page_url(build_page: ModuleType) -> Iterator[str]:
    """Where the page is, without a slash at the end."""
    if elsewhere := os.environ.get("PILOTHOUSE_PAGE_URL"):
        yield elsewhere.rstrip("/")
        return
    with serving(standin()) as address:
        yield address


@pytest.fixture(scope="package")
def empty_url(build_page: ModuleType) -> Iterator[str]:
    """A server that nothing was sent to."""
    with serving(standin(empty=True)) as address:
        yield address


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, as long as the block runs."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium.

    A browser a package, not a session: Playwright keeps an event loop running in this thread for as long as it is
    open, and tests of other rooms that a worker runs afterwards start loops of their own. A package's fixtures end
    as soon as a worker's next test is of another one.
    """
    with chromium() as launched:
        yield launched


@dataclass
class Watch:
    """What went wrong on a page: errors on its console, and requests that left its server."""

    errors: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def on_console(self, message: ConsoleMessage) -> None:
        """Browsers also write refused requests there; a test that provokes one takes it from `errors`."""
        if message.type in ("error", "warning"):
            place = str(message.location.get("url") or "")
            self.errors.append(f"{message.text} {place}".strip())

    def on_error(self, error: Error) -> None:
        """An exception that nobody caught."""
        self.errors.append(str(error))

    def on_request(self, request: Request) -> None:
        """Notes a request to a host that the page was not opened from."""
        if request.is_navigation_request():
            self.hosts.add(urlsplit(request.url).netloc)
        if urlsplit(request.url).scheme not in ("data", "blob") and urlsplit(request.url).netloc not in self.hosts:
            self.strays.append(request.url)


def new_visitor(browser: Browser) -> BrowserContext:
    """Somebody who was never here: 1280 wide, English, in Berlin, who prefers light."""
    visitor = browser.new_context(viewport=SIZE, locale="en-GB", timezone_id="Europe/Berlin", color_scheme="light")
    visitor.set_default_timeout(60_000)
    visitor.set_default_navigation_timeout(60_000)
    return visitor


@pytest.fixture(scope="package")
def tab(browser: Browser) -> Iterator[Page]:
    """The tab that tests share one after the other: its process and what it has cached need not be made each time."""
    visitor = new_visitor(browser)
    yield visitor.new_page()
    visitor.close()


@pytest.fixture
def watch() -> Watch:
    """What is noted about `page`."""
    return Watch()


@contextlib.contextmanager
def watched(tab: Page, watch: Watch) -> Iterator[Page]:
    """Notes what goes wrong on a tab; at the end nothing may have."""
    seen: list[tuple[Any, Any]] = [
        ("console", watch.on_console), ("pageerror", watch.on_error), ("request", watch.on_request),
    ]  # fmt: skip
    for event, handler in seen:
        tab.on(event, handler)
    try:
        yield tab
    finally:
        for event, handler in seen:
            tab.remove_listener(event, handler)
    assert watch.errors == []
    assert watch.strays == []


@pytest.fixture
def page(tab: Page, watch: Watch) -> Iterator[Page]:
    """The shared tab, as if new; the test fails when the console had an error or a request left the server."""
    try:
        with watched(tab, watch):
            yield tab
    finally:
        tab.unroute_all(behavior="ignoreErrors")
        if tab.url.startswith("http"):
            tab.evaluate("() => localStorage.clear()")
        tab.goto("about:blank")
        tab.emulate_media(color_scheme="light")
        tab.set_viewport_size(SIZE)


@pytest.fixture
def own_page(browser: Browser, watch: Watch) -> Iterator[Page]:
    """A tab of its own, for a test that changes what cannot be changed back: its clock, its scripts."""
    visitor = new_visitor(browser)
    with watched(visitor.new_page(), watch) as tab:
        yield tab
    visitor.close()
