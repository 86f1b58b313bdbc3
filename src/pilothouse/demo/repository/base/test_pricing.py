"""What coupons take off."""

import unittest
from collections import namedtuple

import pricing

Coupon = namedtuple("Coupon", "code cents above")


class Discounts(unittest.TestCase):
    """Of an order of 100.00."""

    def test_no_coupon_takes_nothing_off(self):
        self.assertEqual(pricing.discount([], 10_000, "o1"), 0)

    def test_a_coupon_takes_its_cents_off(self):
        self.assertEqual(pricing.discount([Coupon("SAIL", 150, 2_000)], 10_000, "o2"), 150)

    def test_a_coupon_for_larger_orders_does_not_count(self):
        self.assertEqual(pricing.discount([Coupon("SAIL", 150, 20_000)], 10_000, "o3"), 0)

    def test_nothing_is_sold_below_cost(self):
        self.assertLessEqual(pricing.discount([Coupon("SAIL", 5_000, 0)], 10_000, "o4"), 1_000)


if __name__ == "__main__":
    unittest.main()
