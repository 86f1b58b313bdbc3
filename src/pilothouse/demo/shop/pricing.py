"""The pricing of a version of checkout: the file of its release, loaded by path."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from pilothouse.demo.shop.coupons import Coupon


class Pricing(Protocol):
    """What a pricing file defines (`pilothouse/demo/repository/base/pricing.py` is the first version)."""

    RECEIPTS_KEPT: int
    RECEIPT_DENSITY: int

    def discount(self, coupons: list[Coupon], total: int, order: str) -> int:
        """Cents off an order of `total` cents."""


def load(file: str) -> Pricing:
    """The module in `file`, under the name `pricing`. Raises ImportError or OSError when there is none."""
    found = importlib.util.spec_from_file_location("pricing", file)
    if found is None or found.loader is None:
        raise ImportError(f"SHOP_PRICING={file!r} is not a Python file")
    module = importlib.util.module_from_spec(found)
    sys.modules["pricing"] = module
    found.loader.exec_module(module)
    return cast("Pricing", module)
