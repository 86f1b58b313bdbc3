"""Call trees with two costs, for the stand-in's flame graphs."""

from __future__ import annotations

import heapq
import random
from typing import Any

Frame = dict[str, Any]

# A line is: depth, function, file, own milliseconds of CPU in the baseline and in the candidate
SHOP = """
0 run_forever asyncio/base_events.py 12 12
1 handle_request shop/server.py 40 44
2 handle_checkout shop/checkout.py 60 66
3 read_body shop/http.py 70 68
4 parse_json json/decoder.py 210 95
3 price_cart shop/pricing.py 180 184
4 discount_for shop/pricing.py 90 96
5 decimal.__mul__ decimal.py 60 61
4 tax_for shop/tax.py 110 108
3 verify_cart_signature shop/signing.py 22 420
4 hmac.digest hmac.py 30 480
5 sha256_update hashlib.py 12 310
4 normalise shop/signing.py 0 160
5 sorted builtins 0 70
3 charge shop/payment.py 80 86
4 send requests/sessions.py 60 62
5 ssl.write ssl.py 120 118
5 ssl.read ssl.py 160 171
4 retry shop/payment.py 0 140
5 time.sleep builtins 0 12
5 log_error logging/__init__.py 0 90
3 remember_order shop/orders.py 24 88
4 copy.deepcopy copy.py 0 130
3 render shop/views.py 140 92
4 template.render jinja2/environment.py 260 255
2 handle_health shop/health.py 8 16
1 export_batch opentelemetry/sdk/trace/export.py 30 34
2 serialize opentelemetry/exporter/otlp/encoder.py 120 131
2 post requests/sessions.py 40 41
1 gc_collect gc 70 160
"""


def shop_stacks(kind: str) -> Frame:
    """The shop's checkout: in bytes in use for memory, in nanoseconds for all else."""
    root = frame("total", "", 0)
    path = [root]
    for line, text in enumerate(SHOP.strip().splitlines()):
        depth, name, file, before, after = text.split()
        one = frame(name, file, 10 + line)
        scale = 1e6 if kind == "cpu" else 2e4 if name != "remember_order" else 3e6
        one["baseline"], one["candidate"] = int(before) * scale, int(after) * scale
        path[int(depth) + 1 :] = [one]
        path[int(depth)]["children"].append(one)
    return summed(root)


def huge_stacks(frames: int) -> Frame:
    """A tree of about this many frames, some 60 deep, in which every row is full of frames that can be seen.

    The dearest frame calls next: most call one function, some share their cost among several.
    """
    numbers = random.Random(11)
    root = frame("total", "", 0)
    calling = [(-1e12, 0, root)]
    made = 0
    while made < frames:
        cost, _, caller = heapq.heappop(calling)
        shares = [numbers.random() for _ in range(numbers.choice([1, 1, 1, 1, 2, 2, 3]))]
        for share in shares:
            made += 1
            one = frame(f"module_{made % 97}.function_{made % 1733}", f"lib/module_{made % 97}.py", made % 400 + 1)
            caller["children"].append(one)
            heapq.heappush(calling, (0.999 * cost * share / sum(shares), made, one))
    for cost, _, leaf in calling:
        leaf["baseline"], leaf["candidate"] = -cost, -cost * numbers.choice([1, 1, 1, 1.1, 0.9, 2, 0.4, 0])
    return summed(root)


def frame(name: str, file: str, line: int) -> Frame:
    """A frame that costs nothing yet."""
    return {"name": name, "file": file, "line": line, "baseline": 0, "candidate": 0, "children": []}


def summed(root: Frame) -> Frame:
    """Adds to every frame what its callees cost, deepest first."""
    order = [root]
    for one in order:
        order.extend(one["children"])
    for one in reversed(order):
        for side in ("baseline", "candidate"):
            one[side] = int(one[side] + sum(callee[side] for callee in one["children"]))
    return root
