"""What a checkout takes off an order for its coupons, and how it keeps receipts."""

from itertools import combinations

RECEIPTS_KEPT = 16
RECEIPT_DENSITY = 1
"""1 prints 203 dots an inch; 2 prints 406, which takes four times the bytes."""
MARGIN = 10
"""Coupons may take off at most the tenth of an order, or it sells below cost."""


def discount(coupons, total, order):
    """Cents off an order of `total` cents: the best set of its coupons."""
    return try_all_coupon_combinations(coupons, total) if coupons else 0


def try_all_coupon_combinations(coupons, total):
    """Cents off with the best set of coupons: each of the 2^n sets is tried.

    It is right, and it was quick with the three coupons of its author's tests.
    """
    best = 0
    usable = [coupon for coupon in coupons if coupon.above <= total]
    for size in range(1, len(usable) + 1):
        for chosen in combinations(usable, size):
            if len({coupon.code for coupon in chosen}) < size:
                continue
            off = sum(coupon.cents for coupon in chosen)
            if best < off <= total // MARGIN:
                best = off
    return best
