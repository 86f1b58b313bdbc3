"""Where checkout spends its CPU time, in both versions, as folded stacks."""

from __future__ import annotations

_BOTH = {
    "run_forever;handle_request": 44,
    "run_forever;handle_request;handle_checkout": 66,
    "run_forever;handle_request;handle_checkout;read_body;parse_json": 150,
    "run_forever;handle_request;handle_checkout;price_cart": 184,
    "run_forever;handle_request;handle_checkout;price_cart;discount_for": 96,
    "run_forever;handle_request;handle_checkout;price_cart;tax_for": 108,
    "run_forever;handle_request;handle_checkout;charge;send;ssl.write": 118,
    "run_forever;handle_request;handle_checkout;charge;send;ssl.read": 171,
    "run_forever;handle_request;handle_checkout;render;template.render": 255,
    "run_forever;export_batch;serialize": 131,
    "gc_collect": 90,
}
_NEW = {
    "run_forever;handle_request;handle_checkout;price_cart;combine_coupons;try_all": 520,
    "run_forever;handle_request;handle_checkout;price_cart;combine_coupons;try_all;itertools.permutations": 310,
    "run_forever;handle_request;handle_checkout;price_cart;combine_coupons;copy.deepcopy": 130,
}
STACKS = {"1.0.0": _BOTH, "2.0.0": _BOTH | _NEW}


def folded(version: str, minute: int) -> str:
    """A minute's stacks with their counts of samples, which vary a little."""
    lines = (f"{stack} {count + (len(stack) * 7 + minute * 13) % 9 - 4}" for stack, count in STACKS[version].items())
    return "\n".join(lines)
