"""Fills a store, asks, and prints a table in Markdown."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.logs import ripgrep
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
    "expression, texts in alternatives": ("|~ `(GET|PUT) /[a-z]+/v[0-9]/(cart|stock)`", ["-E", "(GET|PUT) /[a-z]+/v[0-9]/(cart|stock)"]),  # noqa: E501
    "expression without a text": ("|~ `[0-9]{3}-[a-z]+-[0-9]`", ["-E", "[0-9]{3}-[a-z]+-[0-9]"]),
    "json, status >= 500": ("|= `{` | json | __error__=`` | status >= 500", None),
}  # fmt: skip


def main() -> None:
    """`python -m bench.logs [LINES]`; two million when not said."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    directory = Path(tempfile.mkdtemp(prefix="bench-logs-"))
    try:
        tools = {"grep": shutil.which("grep") or "", "rg": ripgrep.find(directory)}
        engine = open_engine(directory / "store")
        retention.keep(engine, dict.fromkeys(retention.TABLES, 30 * 86400.0))
        now = time.time_ns()
        fill(engine, count, now, directory / "lines.txt")
        _report(engine, count, TimeRange(now - DAY, now), directory / "lines.txt", tools)
        engine.close()
    finally:
        shutil.rmtree(directory)


def _report(engine: Engine, count: int, within: TimeRange, text: Path, tools: dict[str, str]) -> None:
    size = text.stat().st_size
    print(
        f"{count:,} lines, {size / 1e9:.2f} GB of text; stored for each byte of text, by column: "
        f"{_stored(engine, 'logs', size)} as written, {_stored(engine, _old(engine), size)} when older than six hours\n"
    )
    engine.command("SET use_query_condition_cache = 0")
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
        beside = " | ".join(_tool(name, path, options, text) for name, path in tools.items())
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
        engine.command("SYSTEM DROP UNCOMPRESSED CACHE")
        _row(f"last 100 with {needle}", _last(engine, LineQuestion(query, within, 100)))


def _stored(engine: Engine, table: str, size: int) -> str:
    """Bytes on disk for each byte of text: of all columns, and of those that have a share in it."""
    rows = engine.query(
        "SELECT column, sum(column_data_compressed_bytes) AS bytes FROM system.parts_columns "
        "WHERE database = currentDatabase() AND table = {table:String} AND active GROUP BY column ORDER BY bytes DESC",
        {"table": table},
    ).to_pylist()
    parts = ", ".join(f"{row['column']} {row['bytes'] / size:.4f}" for row in rows if row["bytes"] > size / 2000)
    return f"{sum(row['bytes'] for row in rows) / size:.3f} ({parts})"


def _old(engine: Engine) -> str:
    """A table with the same rows as they are stored when they are older than six hours (engine/retention.py)."""
    names = engine.query(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'logs' "
        "AND default_kind NOT IN ('ALIAS', 'EPHEMERAL')"
    )
    columns = ", ".join(row["name"] for row in names.to_pylist())
    engine.command("CREATE TABLE old AS logs")
    engine.command("ALTER TABLE old REMOVE TTL")
    engine.command("ALTER TABLE old MODIFY SETTING default_compression_codec = 'ZSTD(9)'")
    engine.command(f"INSERT INTO old ({columns}) SELECT {columns} FROM logs SETTINGS max_threads = 2")
    return "old"


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


def _tool(tool: str, path: str, options: list[str] | None, text: Path) -> str:
    """Seconds, and CPU-seconds, that a tool takes to count the same lines of the text, which is in the page cache."""
    if options is None or not path:
        return "-"
    given = [option for option in options if option != "-E"] if tool == "rg" else options
    before, started = os.times(), time.perf_counter()
    subprocess.run([path, "-c", *given, str(text)], stdout=subprocess.PIPE, check=False)
    seconds, after = time.perf_counter() - started, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return f"{seconds:.2f} ({cpu:.2f})"


if __name__ == "__main__":
    main()
