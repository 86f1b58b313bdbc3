"""Waits as long as a database or a partner's API would take."""

import asyncio
import math
from random import SystemRandom

DICE = SystemRandom()


async def wait_like_a_backend(median_ms: float, spread: float = 0.35) -> float:
    """Sleeps for a lognormal time and returns it in ms.

    median_ms: half of the waits are shorter. spread: the standard deviation of the time's logarithm, as real
    services have a long tail to the right.
    """
    waited = DICE.lognormvariate(math.log(median_ms), spread)
    await asyncio.sleep(waited / 1000)
    return waited
