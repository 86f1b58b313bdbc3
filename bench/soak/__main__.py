"""`python -m bench.soak --minutes 30`: prints one JSON object; exit code 1 when something did not hold.

Senders number what they send. A request that is not answered with 200 is sent again, as an SDK does, until it is. At
the end every number that was acknowledged must be there once. A sender is slowed to a rate that the machine can bear
together with the questions; this is no benchmark of how fast it is.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from bench.soak.asking import Asker
from bench.soak.sending import KINDS, Sender
from bench.soak.serving import Memory, Served


def main() -> int:
    """Run it."""
    asked = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    asked.add_argument("--minutes", type=float, default=30.0)
    asked.add_argument("--rate", type=float, default=20.0, help="requests a second of each kind, 50 records each")
    asked.add_argument("--end-every", type=float, default=20.0, help="seconds between ends of the server, on average")
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        found = run(Path(directory), given.minutes * 60, given.rate, given.end_every, given.seed)
    print(json.dumps(found, indent=2))
    return 0 if all(found["held"].values()) else 1


def run(directory: Path, seconds: float, rate: float, end_every: float, seed: int) -> dict[str, dict[str, object]]:
    """What was sent, lost, taken and measured in so many seconds."""
    chance, served = random.Random(seed), Served(directory)
    served.start()
    senders, asker, memory = [Sender(kind, served, rate) for kind in KINDS], Asker(served), Memory(served)
    threads = (*senders, asker, memory)
    for thread in threads:
        thread.start()
    began, ends = time.monotonic(), {"kill": 0, "stop": 0}
    next_end = began + chance.expovariate(1 / end_every)
    while (now := time.monotonic()) < began + seconds:
        time.sleep(0.1)
        if now >= next_end:
            how = chance.choice(["kill", "kill", "stop"])
            ends[how] += 1
            served.end(how)
            served.start()
            next_end = time.monotonic() + chance.expovariate(1 / end_every)
    for thread in threads:
        thread.stop.set()
    for thread in threads:
        thread.join()
    checked = {sender.kind: sender.checked() for sender in senders}
    served.end("stop")
    return _told(seconds, ends, senders, asker, memory.taken, checked)


def _told(seconds, ends, senders, asker, memory, checked):  # type: ignore[no-untyped-def]
    # A process that was just started is smaller: what is compared is the most in each half of the time.
    half = len(memory) // 2
    first, second = max(memory[:half]), max(memory[half:])
    lost, twice = (sum(one[what] for one in checked.values()) for what in ("lost", "twice"))
    return {
        "ran": {"seconds": seconds, "ended": ends, "acknowledged": {one.kind: one.acknowledged for one in senders}},
        "records": checked,
        "memory": {"first_half_bytes": first, "second_half_bytes": second, "ratio": round(second / first, 3)},
        "questions": asker.told(),
        "held": {
            "nothing_lost": lost == 0,
            "nothing_twice": twice == 0,
            "memory_is_flat": second < 1.25 * first,
            "questions_are_answered": asker.failed == 0,
        },
    }


if __name__ == "__main__":
    sys.exit(main())
