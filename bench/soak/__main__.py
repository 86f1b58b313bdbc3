"""`python -m bench.soak --minutes 30`: prints one JSON object; exit code 1 when something did not hold.

Senders number what they send. A request that is not answered with 200 is sent again, as an SDK does, until it is. At
the end every number that was acknowledged must be there once. A sender is slowed to a rate that the machine can bear
together with the questions; this is no benchmark of how fast it is.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.soak.asking import Asker
from bench.soak.sending import KINDS, Sender
from bench.soak.serving import Memory, Served

_ROUGH = 0.4
_SLOWER = 2.0


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
    """What was sent, lost, taken and measured in so many seconds.

    First rough, with ends of the server at random. Then calm, since a process that is started anew three times a minute
    shows no leak: there memory and latencies are looked at. One last `kill -9` stands before the count.
    """
    served = Served(directory)
    served.start()
    senders, hurried = [Sender(kind, served, rate) for kind in KINDS], Asker(served)
    _begin(*senders, hurried)
    ends = _roughly(served, seconds * _ROUGH, end_every, random.Random(seed))
    _end(hurried)
    asker, memory = Asker(served), Memory(served)
    _begin(asker, memory)
    _waited(seconds * (1 - _ROUGH), "calm", lambda: f"{memory.taken[-1] >> 20 if memory.taken else 0} MB")
    _end(asker, memory)
    served.end("kill")
    ends["kill"] += 1
    served.start()
    _end(*senders)
    checked = {sender.kind: sender.checked() for sender in senders}
    served.end("stop")
    return _told(seconds, ends, senders, (hurried, asker), memory.taken, checked)


def _roughly(served: Served, seconds: float, end_every: float, chance: random.Random) -> dict[str, int]:
    """How often the server was ended, and started again, in which way."""
    ends = {"kill": 0, "stop": 0}
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        _waited(min(chance.expovariate(1 / end_every), left), "rough", lambda: f"ended {sum(ends.values())} times")
        if time.monotonic() < until:
            how = chance.choice(["kill", "kill", "stop"])
            ends[how] += 1
            served.end(how)
            served.start()
    return ends


def _waited(seconds: float, what: str, said: Callable[[], str]) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        print(f"{what}: {left:.0f} s more, {said()}", file=sys.stderr, flush=True)
        time.sleep(min(left, 10.0))


def _begin(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.start()


def _end(*threads: Sender | Asker | Memory) -> None:
    for thread in threads:
        thread.stop.set()
    for thread in threads:
        thread.join()


def _told(seconds, ends, senders, askers, memory, checked):  # type: ignore[no-untyped-def]
    # A process that was just started is smaller: its first quarter is left out.
    hurried, asker = askers
    quarter = len(memory) // 4
    first, second = (statistics.fmean(memory[start : start + quarter]) for start in (quarter, 3 * quarter))
    lost, twice = (sum(one[what] for one in checked.values()) for what in ("lost", "twice"))
    return {
        "ran": {"seconds": seconds, "ended": ends, "acknowledged": {one.kind: one.acknowledged for one in senders}},
        "records": checked,
        "memory": {
            "second_quarter_bytes": round(first), "last_quarter_bytes": round(second), "ratio": round(second / first, 3)
        },
        "questions": asker.told(),
        "questions_between_restarts": hurried.told(),
        "held": {
            "nothing_lost": lost == 0,
            "nothing_twice": twice == 0,
            "memory_is_flat": second < 1.25 * first,
            "latencies_hold": asker.slowed() < _SLOWER,
            "questions_are_answered": asker.failed + hurried.failed == 0,
        },
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
