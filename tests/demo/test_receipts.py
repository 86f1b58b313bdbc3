"""Receipts and their archive."""

from __future__ import annotations

from pilothouse.demo.shop.receipts import KEPT, KEPT_BY_TOO_MUCH, ReceiptArchive, draw


def test_a_receipt_has_a_fixed_width_and_at_least_twenty_lines() -> None:
    assert len(draw([])) == len(draw(["TOTAL 1.00"])) == 576 * 24 * 20
    assert len(draw(["x"] * 30)) == 576 * 24 * 30


def test_what_is_written_is_drawn() -> None:
    assert draw(["a"]) != draw(["b"])
    assert draw(["x" * 48]) == draw(["x" * 90])
    assert draw(["é"]) == draw(["?"])


def test_the_archive_forgets_the_oldest() -> None:
    archive = ReceiptArchive(2)
    for order in ("a", "b", "a", "c"):
        archive.keep(order, b"")
    assert len(archive) == 2


def test_the_regression_keeps_tens_of_megabytes() -> None:
    assert KEPT * len(draw([])) < 5_000_000
    assert 60_000_000 < KEPT_BY_TOO_MUCH * len(draw([])) < 100_000_000
