"""The coupons that a customer has in hand."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Coupon:
    """A coupon takes `cents` off an order of at least `above` cents."""

    code: str
    cents: int
    above: int

    @classmethod
    def parse(cls, code: str) -> "Coupon":
        """Reads a code such as `SAIL-150-2000`: 150 cents off from 2000 on. Raises ValueError."""
        name, cents, above = code.rsplit("-", 2)
        return cls(name, int(cents), int(above))
