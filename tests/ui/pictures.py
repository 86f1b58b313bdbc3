"""Pictures of the main pages for docs/images, painted by the tests when `PILOTHOUSE_SCREENSHOTS` is set.

`PILOTHOUSE_SCREENSHOTS=1 pytest tests/ui tests/acceptance/test_demo.py` takes all of them anew: what is about a change
and its verdict from the demo, the others from the shop of `shop_url`.
"""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


def wanted() -> bool:
    """Whether pictures are to be painted."""
    return bool(os.environ.get("PILOTHOUSE_SCREENSHOTS"))


def paint(page: Page, name: str, *, narrow: bool = False, dark: bool = False) -> None:
    """The page as it is, wide and light; also narrow, also dark. Leaves it wide and light."""
    if not wanted():
        return
    if narrow:
        page.set_viewport_size({"width": 400, "height": 800})
        page.wait_for_timeout(500)
        page.screenshot(path=IMAGES / f"{name}-narrow.png", clip={"x": 0, "y": 0, "width": 400, "height": 800})
    page.set_viewport_size({"width": 1280, "height": 860})
    if dark:
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(500)
        page.screenshot(path=IMAGES / f"{name}-dark.png")
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / f"{name}.png")
