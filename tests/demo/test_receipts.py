"""Receipts and their archive."""

from __future__ import annotations

import pytest

from pilothouse.demo.shop.receipts import ReceiptArchive, draw


@pytest.mark.parametrize(("density", "times"), [(1, 1), (2, 4)])
def test_a_receipt_has_a_fixed_width_and_at_least_twenty_lines(density: int, times: int) -> None:
    assert len(draw([], density)) == len(draw(["TOTAL 1.00"], density)) == 576 * 24 * 20 * times
    assert len(draw(["x"] * 30, density)) == 576 * 24 * 30 * times


def test_what_is_written_is_drawn() -> None:
    assert draw(["a"], 1) != draw(["b"], 1)
    assert draw(["x" * 48], 1) == draw(["x" * 90], 1)
    assert draw(["é"], 1) == draw(["?"], 1)


def test_the_archive_forgets_the_oldest() -> None:
    archive = ReceiptArchive(2)
    for order in ("a", "b", "a", "c"):
        archive.keep(order, b"")
    assert len(archive) == 2


def test_the_archive_keeps_all_until_it_is_full() -> None:
    archive = ReceiptArchive(64)
    for order in range(64):
        archive.keep(str(order), b"")
    assert len(archive) == 64
