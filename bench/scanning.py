"""Scans of all log lines in a store, in a process of its own: `python -m bench.scanning STORE` prints JSON.

A substring is asked by `signals.logs.asking.count`, as `/api/logs?count=1` asks it. Our API has no case-insensitive
search and no regular expressions yet: for these the same statement is given to the engine with another predicate.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.engine.model import Parameter

from bench.log_requests import ABSENT, FREQUENT, RARE

THREADS = 2
SCANS = {
    "substring, frequent": ("substring", FREQUENT),
    "substring, rare": ("substring", RARE),
    "substring, absent": ("substring", ABSENT),
    "case-insensitive": ("ignoring case", "sockettimeoutexception"),
    "regular expression, with a literal": ("expression", "status=5[0-9]{2} bytes=[0-9]+ duration=[0-9]{3}7"),
    "regular expression, without": ("expression", "[0-9]{3}[.]1[0-9] [A-Z]{3}, s[a-z]+g by (dhl|ups)"),
}
"""What is looked for: how, and the text."""

_PREDICATES = {
    "ignoring case": "positionCaseInsensitive(body, {pattern:String}) > 0",
    "expression": "match(body, {pattern:String})",
}
_EVER = 10**10 * 10**9 // 2


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan: when nothing was in the page cache, when all was, and asked again with the condition cache."""

    name: str
    found: int
    cold_seconds: float
    warm_seconds: float
    warm_cpu: float
    remembered_seconds: float


def main() -> None:
    """Scan and print."""
    from pilothouse.engine import open_engine

    store = Path(sys.argv[1])
    engine = open_engine(store)
    scans = [_scan(engine, store, name, how, pattern) for name, (how, pattern) in SCANS.items()]
    print(json.dumps([asdict(scan) for scan in scans]))
    engine.close()


def forget_pages(directory: Path) -> None:
    """Have the system drop a directory's files from its page cache, as far as it does."""
    os.sync()
    for path in directory.rglob("*") if directory.is_dir() else (directory,):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


def _scan(engine: Engine, store: Path, name: str, how: str, pattern: str) -> Scan:
    ask = _question(engine, how, pattern)
    _use_condition_cache(engine, False)
    forget_pages(store)
    found, cold, _ = _timed(ask)
    warm, cpu = min(_timed(ask)[1:] for _ in range(3))
    _use_condition_cache(engine, True)
    ask()
    _, remembered, _ = _timed(ask)
    return Scan(name, found, cold, warm, cpu, remembered)


def _question(engine: Engine, how: str, pattern: str) -> Callable[[], int]:
    from pilothouse.engine import Budget
    from pilothouse.signals.logs.asking import LogQuestion, count
    from pilothouse.signals.selecting import identities
    from pilothouse.signals.selector import Selector
    from pilothouse.signals.timerange import TimeRange

    budget = Budget(seconds=600, threads=THREADS)
    within = TimeRange(0, _EVER)
    if how == "substring":
        question = LogQuestion(Selector(), within, contains=(pattern,))
        return lambda: count(engine, question, budget)

    def ask() -> int:
        parameters: dict[str, Parameter] = {
            "identities": identities(engine, Selector(), within, "logs"),
            "pattern": pattern,
            "end": _EVER,
        }
        sql = (
            "SELECT count() FROM logs WHERE identity IN {identities:Array(UInt64)} "
            "AND time >= fromUnixTimestamp64Nano(0, 'UTC') AND time < fromUnixTimestamp64Nano({end:Int64}, 'UTC') "
            f"AND {_PREDICATES[how]}"
        )
        return int(engine.query(sql, parameters, budget).column(0)[0].as_py())

    return ask


def _timed(ask: Callable[[], int]) -> tuple[int, float, float]:
    cpu, started = time.process_time(), time.perf_counter()
    found = ask()
    return found, time.perf_counter() - started, time.process_time() - cpu


def _use_condition_cache(engine: Engine, used: bool) -> None:
    # One thread asks here, so that all statements go through the pool's one top handle, whose setting this is.
    engine.command(f"SET use_query_condition_cache = {int(used)}")
    value = engine.query("SELECT toString(getSetting('use_query_condition_cache'))").column(0)[0].as_py()
    assert value in (("true", "1") if used else ("false", "0")), value


if __name__ == "__main__":
    main()
