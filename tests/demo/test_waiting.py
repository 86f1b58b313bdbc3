"""The waits of the shop's backends."""

from __future__ import annotations

import asyncio
import statistics

from pilothouse.demo.shop.waiting import wait_like_a_backend


def test_waits_have_the_median_and_a_long_tail() -> None:
    async def many() -> list[float]:
        return await asyncio.gather(*(wait_like_a_backend(10, 0.5) for _ in range(2000)))

    waits = asyncio.run(many())
    assert 9 < statistics.median(waits) < 11.2
    assert statistics.mean(waits) > statistics.median(waits)
    assert max(waits) > 30


def test_a_wait_takes_as_long_as_it_says() -> None:
    async def one() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        waited = await wait_like_a_backend(30, 0.01)
        return waited, (loop.time() - began) * 1000

    waited, passed = asyncio.run(one())
    assert waited - 2 < passed < waited + 500
