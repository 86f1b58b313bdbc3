"""Visitors of the shop: `python -m pilothouse.demo.load`, a process of its own.

`SHOP_GATEWAY` is the shop's address and `SHOP_RATE` how many requests a second all visitors make together.
"""

import asyncio
import math
import os
import signal
import sys
from random import SystemRandom

import aiohttp
import uvloop

from pilothouse.demo.shop.catalog import CATEGORIES, PRODUCTS_IN_A_CATEGORY

VISITORS = 12
LISTS, PRODUCTS, UNKNOWN = 0.22, 0.175, 0.005
"""The parts of all requests that list products, look at one, or at one that is gone; the rest are orders."""
WALLETS = 0.5
"""The part of the orders that come with a wallet full of coupons."""
DICE = SystemRandom()


def order() -> dict[str, object]:
    """Some items, and for some visitors 14 to 16 coupons."""
    items = {_sku(): DICE.randint(1, 3) for _ in range(DICE.randint(1, 4))}
    wallet = range(DICE.randint(14, 16)) if DICE.random() < WALLETS else ()
    return {"items": items, "coupons": [f"SAIL{n}-{DICE.randrange(100, 600)}-{n * 20}" for n in wallet]}


async def visit(client: aiohttp.ClientSession, think_seconds: float) -> None:
    """One visitor, who thinks a lognormal time between two requests. Goes on for ever."""
    while True:
        await asyncio.sleep(DICE.lognormvariate(math.log(think_seconds) - 0.18, 0.6))
        try:
            await _request(client)
        except (aiohttp.ClientError, TimeoutError) as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")


async def main(gateway: str, rate: float) -> None:
    """Drives `rate` requests a second through the gateway until SIGTERM."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, os._exit, 0)
    connector, timeout = aiohttp.TCPConnector(limit=0, keepalive_timeout=3), aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(gateway, connector=connector, timeout=timeout) as client:
        await asyncio.gather(*(visit(client, VISITORS / rate) for _ in range(VISITORS)))


async def _request(client: aiohttp.ClientSession) -> None:
    choice = DICE.random()
    if choice < LISTS:
        asked = client.get("/products", params={"category": DICE.choice(CATEGORIES)})
    elif choice < LISTS + PRODUCTS:
        asked = client.get(f"/products/{_sku()}")
    elif choice < LISTS + PRODUCTS + UNKNOWN:
        asked = client.get(f"/products/{DICE.choice(CATEGORIES)}-{DICE.randrange(900, 999)}")
    else:
        asked = client.post("/checkout", json=order())
    async with asked as answer:
        await answer.read()


def _sku() -> str:
    return f"{DICE.choice(CATEGORIES)}-{DICE.randrange(PRODUCTS_IN_A_CATEGORY):02}"


if __name__ == "__main__":
    uvloop.run(main(os.environ["SHOP_GATEWAY"], float(os.environ.get("SHOP_RATE", "40"))))
