"""The changes that people propose in the demo, and what has to become of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fate = Literal["rolled_back", "deployed", "refused"]


@dataclass(frozen=True)
class Change:
    """A change: its directory in the demo's repository, its commit, what is planted in it, and its fate.

    `told` are texts of which the findings of a bad verdict must hold one, by signal.
    """

    name: str
    title: str
    body: str
    planted: str
    fate: Fate
    told: tuple[tuple[str, str], ...] = ()


# An operation is in its spans and in the labels of its own metrics: with few orders yet, either may tell first.
_CHECKOUT = (("traces", "POST /checkout"), ("metrics", 'http.route="/checkout"'))
# What the change makes call the slow function: the judge names the highest whose cost moved.
_CALLER = "discount (pricing.py)"
_COUPONS = "Customers may use all coupons in their wallet at once: the best set of them is taken."
CHANGES = {
    "regression": Change(
        "regression", "feat: take several coupons at once", _COUPONS,
        "all 2^n sets of a wallet's coupons are tried, what is refused is logged, receipts take 16 times the memory",
        "rolled_back",
        (
            *_CHECKOUT, ("logs", "coupon combinations"), ("metrics", "process.memory.usage"),
            ("profiles", "try_all_coupon_combinations"), ("profiles", _CALLER),
        ),
    ),
    "slow": Change(
        "slow", "feat: take several coupons at once", _COUPONS,
        "all 2^n sets of a wallet's coupons are tried, and nothing is logged", "rolled_back",
        (*_CHECKOUT, ("profiles", "try_all_coupon_combinations"), ("profiles", _CALLER)),
    ),
    "leak": Change(
        "leak", "feat: keep all receipts for a reprint", "Support asked for it: any receipt can be printed again.",
        "no receipt is ever let go of: memory grows with each order",
        "rolled_back", (("metrics", "process.memory.usage"),),
    ),
    "errors": Change(
        "errors", "feat: check the size of a wallet", "A wallet's record has room for 14 coupons.",
        "an order with more than 14 coupons is an error, and some wallets have 15 or 16", "rolled_back",
        (*_CHECKOUT, ("logs", "wallet"), ("logs", "error lines")),
    ),
    "dns": Change(
        "dns", "feat: run on the node's network", "One hop less on the way to payments.",
        "hostNetwork without dnsPolicy: names of the cluster are looked up at the node's resolver", "refused",
    ),
    "good": Change(
        "good", "fix: look at each coupon once", "The same discount, found in one go.", "nothing", "deployed",
    ),
}  # fmt: skip
SCENARIOS = tuple(CHANGES)


def of(scenario: str) -> list[Change]:
    """The changes of a scenario: the one that it is named after, and a good one at the end."""
    return [CHANGES[scenario]] if scenario == "good" else [CHANGES[scenario], CHANGES["good"]]
