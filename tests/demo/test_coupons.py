"""The discount of both versions of checkout."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.demo import repository
from pilothouse.demo.shop.coupons import Coupon
from pilothouse.demo.shop.pricing import load

BEFORE = load(str(repository.pricing()))
AFTER = load(str(repository.pricing("regression")))

wallets = st.lists(st.builds(Coupon, st.sampled_from("abcdef"), st.integers(1, 900), st.integers(0, 9000)), max_size=8)


def test_a_code_is_read() -> None:
    assert Coupon.parse("SAIL-2-150-2000") == Coupon("SAIL-2", 150, 2000)


@pytest.mark.parametrize("code", ["", "SAIL", "SAIL-1", "SAIL-a-b"])
def test_a_broken_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match=r"values to unpack|invalid literal"):
        Coupon.parse(code)


@given(wallets, st.integers(0, 20_000))
def test_several_coupons_are_worth_at_least_the_best_one(wallet: list[Coupon], total: int) -> None:
    best = AFTER.discount(wallet, total, "ord-1")
    assert BEFORE.discount(wallet, total, "ord-1") <= best <= total // 10


def test_several_coupons_add_up() -> None:
    wallet = [Coupon("a", 100, 0), Coupon("b", 150, 0), Coupon("b", 151, 0), Coupon("c", 50, 99_999)]
    assert BEFORE.discount(wallet, 5000, "ord-1") == 151
    assert AFTER.discount(wallet, 5000, "ord-1") == 251


def test_refused_combinations_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert AFTER.discount([Coupon("a", 60, 0), Coupon("b", 60, 0)], 1000, "ord-7") == 60
    assert "order ord-7: refused 1 coupon combinations" in caplog.text
