"""`python -m bench.ui`: first load, time until it can be used, a million lines, a flame graph of 50,000 frames.

Frames are counted twice: what the main thread has to do with each (processor time, whatever else the machine does), and
what was drawn, from Chromium's own trace, which needs a machine with nothing else to do. Some two minutes.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench import machine
from tests.running import start_server
from tests.ui.shop import make_shop, send_shop
from tests.ui.smoothness import (
    cross_flame_graph,
    drawn_meanwhile,
    main_thread,
    scroll_many_lines,
    zoom_flame_graph,
)
from tests.ui.standin import serving, standin

_UI = Path(__file__).resolve().parents[2] / "ui"
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_HUGE = "/releases/huge/2.0.0?baseline=1.0.0"
_BUSY = "Other work had the machine meanwhile: what goes by the clock is worse here than on a machine of its own.\n"
_GLIDE = """
async (list, frames) => {
  for (let step = 1; step <= frames; step += 1) {
    list.scrollTop += 90;
    await new Promise(requestAnimationFrame);
  }
}
"""


def main() -> None:
    """Measure and print a table in Markdown; also write it with `--output`."""
    parser = argparse.ArgumentParser(prog="python -m bench.ui", description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines to scroll through")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "RESULTS.md")
    given = parser.parse_args()
    _build()
    here = machine.here()
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as name, sync_playwright() as playwright:
        server = start_server(Path(name))
        send_shop(server.http, make_shop())
        browser = playwright.chromium.launch(
            executable_path=_CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        rows = [*_home(browser, server.http), *_lines(browser, server.http, given.lines)]
        with serving(standin()) as address:
            rows += _flames(browser, address)
        browser.close()
        server.stop()
    text = "\n".join(
        [
            f"{here.when}, {here.processor}, {here.cores} cores, load {here.load:.1f} at the start and "
            f"{os.getloadavg()[0]:.1f} at the end\n",
            *([_BUSY] if max(here.load, os.getloadavg()[0]) > here.cores else []),
            "| what | measured | wanted |\n|---|---|---|",
            *(f"| {what} | {measured} | {wanted} |" for what, measured, wanted in rows),
        ]
    )
    print(text)
    given.output.write_text(f"# The page\n\n`python -m bench.ui`\n\n{text}\n")


Row = tuple[str, str, str]


def _build() -> None:
    spec = importlib.util.spec_from_file_location("build_page", _UI / "build_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.build_page()


def _home(browser: Browser, address: str) -> list[Row]:
    page = browser.new_page()
    loaded: dict[str, int] = {}
    page.on("requestfinished", lambda one: loaded.update({one.url: one.sizes()["responseBodySize"]}))
    page.goto(address, wait_until="networkidle")
    size = sum(count for url, count in loaded.items() if "/api/" not in url)
    page.close()
    times, spent = [], []
    for _ in range(5):
        # A new visitor each time: nothing is in the cache.
        page = browser.new_page()
        with main_thread(page) as loading:
            page.goto(address, wait_until="commit")
            page.get_by_role("link", name="checkout 2.0.0").first.wait_for()
            times.append(float(page.evaluate("performance.now()")))
        spent.append(loading.milliseconds)
        page.close()
    return [
        ("home: first load, as it was sent", f"{size / 1000:.0f} kB", "below 300 kB"),
        ("home: until a release can be clicked, median of 5", f"{statistics.median(times):.0f} ms", "below 1,000 ms"),
        ("home: main thread until then, median of 5", f"{statistics.median(spent):.0f} ms", "below 500 ms"),
    ]


def _lines(browser: Browser, address: str, count: int) -> list[Row]:
    page = browser.new_page()
    spent = scroll_many_lines(page, address, count)
    shown = page.get_by_role("listbox", name="Logs")
    shown.evaluate("list => { list.scrollTop = 0; }")
    with main_thread(page) as gliding:
        rate = _a_second(drawn_meanwhile(page, lambda: shown.evaluate(_GLIDE, 180)))
    page.close()
    name = f"{count:,} lines"
    return [
        (f"{name}: main thread a jump that replaces all rows", f"{spent:.1f} ms", "below 20 ms"),
        (f"{name}: main thread a frame of steady scrolling", f"{gliding.milliseconds / 180:.1f} ms", "below 20 ms"),
        (f"{name}: frames drawn while scrolling steadily", f"{rate:.0f} a second", "50 a second"),
    ]


def _flames(browser: Browser, address: str) -> list[Row]:
    page = browser.new_page()
    page.goto(address + _HUGE, wait_until="networkidle")
    spent: list[float] = []
    rate = _a_second(drawn_meanwhile(page, lambda: spent.append(cross_flame_graph(page, 180))))
    zoom = zoom_flame_graph(page)
    page.close()
    return [
        ("flame graph of 50,000 frames: main thread a zoom", f"{zoom:.0f} ms", "below 100 ms"),
        ("flame graph of 50,000 frames: main thread a frame", f"{spent[0]:.1f} ms", "below 20 ms"),
        ("flame graph of 50,000 frames: frames drawn", f"{rate:.0f} a second", "50 a second"),
    ]


def _a_second(at: list[float]) -> float:
    """The rate of what happened at these times, in seconds."""
    return (len(at) - 1) / (at[-1] - at[0]) if len(at) > 1 else 0.0


if __name__ == "__main__":
    main()
