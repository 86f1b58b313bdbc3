"""How much work the page's main thread has with each frame: while many lines scroll, and over a huge flame graph.

Processor time of that thread is measured: what other processes take of the machine is no fault of the page. 50 frames
a second leave 20 ms a frame. That a frame with a change was drawn too, not dropped, is in Chromium's trace.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import CDPSession, Page, expect

MANY = """
(count) => {
  // The answer of the server, made where it is read: a hundred megabytes need not cross a socket for this.
  const asked = window.fetch;
  const line = (at) => JSON.stringify({log: {
    time: new Date(Date.UTC(2026, 0, 1) - at * 1000).toISOString(), line: `line ${at} of many, with some words in it`,
    stream: {service_name: "cron"}, metadata: {detected_level: at % 50 ? "info" : "error"}, parsed: {}}}) + "\\n";
  const encoder = new TextEncoder();
  window.fetch = (path, ...more) => {
    if (!String(path).startsWith("/api/logs/query")) return asked(path, ...more);
    let at = 0;
    return Promise.resolve(new Response(new ReadableStream({pull(controller) {
      let piece = "";
      for (let end = Math.min(count, at + 5000); at < end; at += 1) piece += line(at);
      controller.enqueue(encoder.encode(piece));
      if (at >= count) controller.close();
    }})));
  };
}
"""

# Every jump replaces all rows in sight, which is the worst that scrolling can ask for.
SCROLL = """
async (list, frames) => {
  for (let step = 1; step <= frames; step += 1) {
    list.scrollTop = (list.scrollHeight * step) / frames;
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
  }
}
"""

# The pointer crosses the graph, which tells of the frame that it is over, while the graph scrolls down to its deepest
# frames and up again, which paints it anew now and then. No two steps look the same.
CROSS = """
async (graph, frames) => {
  const {left, top, width} = graph.getBoundingClientRect();
  const deepest = graph.scrollHeight - graph.clientHeight;
  for (let step = 0; step < frames; step += 1) {
    const at = {clientX: left + (step * 97) % width, clientY: top + 10 + (step * 13) % 300, bubbles: true};
    graph.dispatchEvent(new PointerEvent("pointermove", at));
    graph.scrollTop = deepest - Math.abs(deepest - ((step * 23 + 9) % (2 * deepest)));
    await new Promise(requestAnimationFrame);
  }
}
"""


class Spent:
    """Milliseconds of the main thread's processor time: script, style, layout, paint."""

    milliseconds = 0.0


@contextmanager
def main_thread(page: Page) -> Iterator[Spent]:
    """Measures what the page's main thread spends meanwhile."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    spent, before = Spent(), _busy(session)
    yield spent
    spent.milliseconds = _busy(session) - before
    session.detach()


def _busy(session: CDPSession) -> float:
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"]) * 1000


def drawn_meanwhile(page: Page, work: Callable[[], object]) -> list[float]:
    """When Chromium drew a frame of the page meanwhile, in seconds of its trace."""
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["disabled-by-default-devtools.timeline.frame", "devtools.timeline"])
    work()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    return sorted(event["ts"] / 1e6 for event in events if event["name"] == "DrawFrame")


def scroll_many_lines(page: Page, address: str, count: int, frames: int = 60) -> float:
    """Scrolls through so many lines in so many jumps; milliseconds a jump. The tab cannot be used for other tests."""
    page.add_init_script(f"({MANY})({count})")
    page.goto(f"{address}/explore/logs?limit={count}")
    expect(page.get_by_text(re.compile(f"^{count:,} lines"))).to_be_visible(timeout=180_000)
    with main_thread(page) as spent:
        page.get_by_role("listbox", name="Logs").evaluate(SCROLL, frames)
    return spent.milliseconds / frames


def cross_flame_graph(page: Page, frames: int = 90) -> float:
    """Moves over the flame graph that the page shows; milliseconds a frame."""
    graph = page.get_by_role("application").first
    graph.scroll_into_view_if_needed()
    with main_thread(page) as spent:
        graph.evaluate(CROSS, frames)
    return spent.milliseconds / frames


def zoom_flame_graph(page: Page, times: int = 10) -> float:
    """Zooms into a callee of the root and out again, which paints all of it anew; milliseconds a zoom."""
    graph = page.get_by_role("application").first
    whole = page.get_by_role("button", name="Whole graph")
    graph.focus()
    with main_thread(page) as spent:
        for _ in range(times):
            for _ in range(4):
                page.keyboard.press("ArrowDown")
            page.keyboard.press("Enter")
            expect(whole).to_be_visible()
            whole.click()
            expect(whole).to_be_hidden()
            graph.focus()
    return spent.milliseconds / (2 * times)
