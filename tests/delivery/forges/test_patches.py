"""The lines that hunks add, as the file has them afterwards."""

from __future__ import annotations

import pytest

from pilothouse.delivery.forges import added_lines


@pytest.mark.parametrize(
    ("patch", "lines"),
    [
        ("", set()),
        ("@@ -0,0 +1,2 @@\n+a\n+b\n", {1, 2}),
        ("@@ -1,3 +1,4 @@\n a\n-b\n+c\n+d\n e\n", {2, 3}),
        ("@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n@@ -9,2 +9,3 @@ def x():\n a\n+b\n c\n", {1, 10}),
        ("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -5,0 +6 @@\n+++ y\n", {6}),
        ("no hunks\n+a\n", set()),
    ],
)
def test_added_lines(patch: str, lines: set[int]) -> None:
    assert added_lines(patch) == lines
