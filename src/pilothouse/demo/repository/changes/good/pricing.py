"""What a checkout takes off an order for its coupons, and how it keeps receipts."""

import logging

RECEIPTS_KEPT = 16
RECEIPT_DENSITY = 1
"""1 prints 203 dots an inch; 2 prints 406, which takes four times the bytes."""
MARGIN = 10
"""Coupons may take off at most the tenth of an order, or it sells below cost."""

log = logging.getLogger("shop.checkout.coupons")


def discount(coupons, total, order):
    """Cents off an order of `total` cents: the one coupon that takes off most."""
    return best_single_coupon(coupons, total)


def best_single_coupon(coupons, total):
    """Cents off with the one coupon that takes off most."""
    most = total // MARGIN
    return max((coupon.cents for coupon in coupons if coupon.above <= total and coupon.cents <= most), default=0)
