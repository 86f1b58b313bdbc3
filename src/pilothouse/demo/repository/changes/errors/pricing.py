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
    if len(coupons) > 14:
        log.error("order %s: the wallet of %d coupons does not fit into its record of 14", order, len(coupons))
        raise ValueError("a wallet holds at most 14 coupons")
    return best_single_coupon(coupons, total)


def best_single_coupon(coupons, total):
    """Cents off with the one coupon that takes off most."""
    offers = (coupon.cents for coupon in coupons if coupon.above <= total)
    return max((cents for cents in offers if cents <= total // MARGIN), default=0)
