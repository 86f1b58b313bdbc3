"""Fills a store, asks, and prints a table in Markdown."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.logs.lines import fill
from pilothouse.engine import open_engine, retention
from pilothouse.signals.logs.answering import lines, numbers
from pilothouse.signals.logs.logql import parse, tree
from pilothouse.signals.logs.searching import LineQuestion
from pilothouse.signals.logs.vectors import Steps
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine

DAY = 24 * 3600 * 10**9
COUNTS = {
    "substring, frequent": ('|= "/api/v2/orders"', ["-F", "/api/v2/orders"]),
    "substring, rare": ('|= "SocketTimeoutException"', ["-F", "SocketTimeoutException"]),
    "substring, absent": ('|= "segmentation fault"', ["-F", "segmentation fault"]),
    "ignoring case": ("|~ `(?i)sockettimeoutexception`", ["-F", "-i", "sockettimeoutexception"]),
    "expression": ("|~ `orders/[0-9]+ HTTP/1.1\" 5[0-9]{2} `", ["-E", "orders/[0-9]+ HTTP/1.1\" 5[0-9]{2} "]),
    "expression without a literal": ("|~ `(GET|PUT) /[a-z]+/v[0-9]/(cart|stock)`", ["-E", "(GET|PUT) /[a-z]+/v[0-9]/(cart|stock)"]),  # noqa: E501
    "json, status >= 500": ("|= `{` | json | __error__=`` | status >= 500", None),
}  # fmt: skip


def main() -> None:
    """`python -m bench.logs [LINES]`; two million when not said."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    directory = Path(tempfile.mkdtemp(prefix="bench-logs-"))
    try:
        engine = open_engine(directory / "store")
        retention.keep(engine, dict.fromkeys(retention.TABLES, 30 * 86400.0))
        now = time.time_ns()
        fill(engine, count, now, directory / "lines.txt")
        _report(engine, count, TimeRange(now - DAY, now), directory / "lines.txt")
        engine.close()
    finally:
        shutil.rmtree(directory)


def _report(engine: Engine, count: int, within: TimeRange, text: Path) -> None:
    size = text.stat().st_size
    cold = engine.query(
        "SELECT sum(bytes_on_disk) AS c FROM system.parts WHERE table = 'logs' AND active "
        "AND default_compression_codec = 'ZSTD(9)'"
    ).to_pylist()[0]["c"]
    stored = engine.query(
        "SELECT sum(column_data_compressed_bytes) AS c FROM system.parts_columns WHERE table = 'logs' AND active"
    ).to_pylist()[0]["c"]
    engine.command("SET use_query_condition_cache = 0")
    print(
        f"{count:,} lines, {size / 1e9:.2f} GB of text, {stored / size:.3f} bytes stored for each byte "
        f"({cold / 1e6:,.0f} of {stored / 1e6:,.0f} MB are cold)\n"
    )
    print(
        "CPU is in seconds; GB/s are of two cores by CPU: first when nothing is decompressed yet, then when it is.\n\n"
        "| question | seconds first | seconds | CPU first | CPU | GB/s first | GB/s | grep | rg |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    for name, (stages, options) in COUNTS.items():
        query = parse(f"sum(count_over_time({{service_name=~`.+`}} {stages} [1d]))")
        assert not isinstance(query, tree.LogQuery)
        ask = _asking(engine, query, Steps(within.end, within.end, 1))
        engine.command("SYSTEM DROP UNCOMPRESSED CACHE")
        first, first_cpu = _best(ask, 1)
        seconds, cpu = _best(ask)
        beside = " | ".join(_tool(tool, options, text) for tool in ("grep", "rg"))
        print(
            f"| {name} | {first:.2f} | {seconds:.2f} | {first_cpu:.2f} | {cpu:.2f} "
            f"| {2 * size / first_cpu / 1e9:.2f} | {2 * size / cpu / 1e9:.2f} | {beside} |",
            flush=True,
        )
    by_minute = parse("sum(count_over_time({service_name=~`.+`} [1m]))")
    assert not isinstance(by_minute, tree.LogQuery)
    _row("count by minute", lambda: numbers(engine, by_minute, Steps(within.start, within.end, 60 * 10**9)))
    for needle in ("/api/v2/orders", "SocketTimeoutException", "segmentation fault"):
        query = parse(f'{{service_name=~".+"}} |= "{needle}"')
        assert isinstance(query, tree.LogQuery)
        _row(f"last 100 with {needle}", _last(engine, LineQuestion(query, within, 100)))


def _asking(engine: Engine, query: tree.Metric, steps: Steps) -> Callable[[], object]:
    return lambda: numbers(engine, query, steps)


def _last(engine: Engine, question: LineQuestion) -> Callable[[], object]:
    return lambda: lines(engine, question)


def _row(name: str, ask: Callable[[], object]) -> None:
    first, first_cpu = _best(ask, 1)
    seconds, cpu = _best(ask)
    print(f"| {name} | {first:.3f} | {seconds:.3f} | {first_cpu:.3f} | {cpu:.3f} | | | | |", flush=True)


def _best(ask: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """The least of some: seconds, and CPU seconds of this process."""
    found = []
    for _ in range(times):
        cpu, started = time.process_time(), time.perf_counter()
        ask()
        found.append((time.perf_counter() - started, time.process_time() - cpu))
    return min(found)[0], min(cpu for _, cpu in found)


def _tool(tool: str, options: list[str] | None, text: Path) -> str:
    """Seconds that a tool takes to count the same lines of the same text."""
    if options is None or not shutil.which(tool):
        return "-"
    given = [option for option in options if option != "-E"] if tool == "rg" else options
    started = time.perf_counter()
    subprocess.run([tool, "-c", *given, str(text)], stdout=subprocess.PIPE, check=False)
    return f"{time.perf_counter() - started:.2f}"


if __name__ == "__main__":
    main()
