"""A program that works for a while in functions with known names: `python -m tests.signals.profiles.busy SECONDS`.

It says when it begins.
"""

import sys
import time


def leaf_work(until: float) -> int:
    found = 0
    while time.monotonic() < until:
        found += sum(range(200))
    return found


def outer_work(until: float) -> int:
    return leaf_work(until)


if __name__ == "__main__":
    print("busy", flush=True)
    outer_work(time.monotonic() + float(sys.argv[1]))
