"""Every main page has a picture in the docs, each made by a test and shown."""

from __future__ import annotations

import re

from tests.ui.conftest import UI
from tests.ui.pictures import IMAGES
from tests.ui.test_every_page import PAINTED

DOCS = UI.parent / "docs"
TESTS = UI.parent / "tests" / "ui"
SHADES = re.compile("-(dark|narrow)$")


def test_each_main_page_has_a_picture_that_a_test_paints_and_the_docs_show() -> None:
    painted = set(PAINTED)
    for file in TESTS.glob("*.py"):
        painted |= set(re.findall(r'\bpaint\(page, "([a-z-]+)"', file.read_text()))
    kept = {SHADES.sub("", file.stem) for file in IMAGES.glob("*.png")}
    page = (DOCS / "explanation" / "the-page.md").read_text()
    shown = set(re.findall(r"\.\./images/([a-z-]+)\.png", page))
    assert painted == kept == shown
    # A section of the navigation, by its key, is a part of that page.
    sections = (UI / "src" / "app" / "sections.ts").read_text()
    keys = re.findall(r'path: "/[a-z/]*", key: "([a-z])"', sections)
    assert len(keys) == 12
    assert [key for key in keys if f"`g {key}`" not in page] == []
