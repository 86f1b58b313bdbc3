"""The results as Markdown: what was reached first, then the numbers and how each was taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.ingest import CONNECTIONS, Result
from bench.machine import Machine
from bench.resting import Idle
from bench.scan import Scanned
from bench.scanning import SCANS, THREADS


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything of one run; what was left out is empty."""

    machine: Machine
    load_after: float
    quick: bool
    results: list[Result]
    scanned: Scanned | None
    visible: dict[str, tuple[float, float]]
    idle: dict[str, Idle]
    first_answers: dict[str, float]
    help_seconds: float


_HISTORY = "## History\n"
_CPU_TARGETS = {"logs": 2.0, "spans": 5.0, "samples": 2.0}
_NAMES = {"logs": "log records", "spans": "spans", "samples": "metric samples", "histograms": "histogram points"}


def render(measured: Measured) -> str:
    """The whole of RESULTS.md."""
    parts = [
        "# Benchmark results",
        _where(measured),
        "## Targets\n\n" + table(("target", "limit", "measured", ""), _targets(measured)),
    ]
    if measured.results:
        parts += ["## Ingest", _INGEST, _ingest(measured.results)]
    if measured.visible:
        parts += ["## Time to visible, idle, start", _resting(measured)]
    if measured.scanned:
        parts += ["## Scan", _scan_text(measured.scanned), _scans(measured.scanned)]
    return "\n\n".join(parts) + "\n"


def with_history(text: str, before: str) -> str:
    """The results, and below them what stands in the file from its history on, which people write."""
    _, mark, history = before.partition(_HISTORY)
    return text + "\n" + mark + history if mark else text


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = tuple(head)
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _where(measured: Measured) -> str:
    here = measured.machine
    size = (
        " `--quick`: a tenth of everything; the numbers of a full run are the ones to quote." if measured.quick else ""
    )
    return (
        f"Measured by `python -m bench` on {here.when}: {here.processor}, {here.cores} cores, "
        f"{here.memory_gb:.0f} GB, {here.system}; {here.versions}. Load average {here.load:.2f} before and "
        f"{measured.load_after:.2f} after; load generator and server share the cores.{size}"
    )


def _targets(measured: Measured) -> list[tuple[str, ...]]:
    rows = []
    for result in measured.results:
        limit = _CPU_TARGETS.get(result.case.signal)
        if limit and result.case.protocol == "http" and result.case.records_per_request == 1000:
            name = f"server CPU-seconds per million {_NAMES[result.case.signal]}, HTTP"
            rows.append(_target(name, limit, result.cpu_per_million))
    if measured.results:
        slowest = max(measured.results, key=lambda result: result.paced[1])
        name = f"acknowledged, ms, 99th percentile at half load ({_named(slowest)}, the slowest)"
        rows.append(_target(name, 50, slowest.paced[1]))
        rows.append(_target("peak memory, MB", 2000, max(result.peak_bytes for result in measured.results) / 1e6))
    if measured.visible:
        rows.append(_target("visible after, s, 99th percentile", 1, max(p99 for _, p99 in measured.visible.values())))
    if measured.idle:
        rows.append(_target("idle memory, MB, new server", 500, measured.idle["new"].resident_bytes / 1e6))
        rows.append(_target("idle CPU, % of a core", 3, max(idle.cpu for idle in measured.idle.values()) * 100))
    if measured.first_answers:
        rows.append(_target("start to first answer, s", 3, max(measured.first_answers.values())))
    if measured.scanned:
        rows += _scan_targets(measured.scanned)
    return rows


def _scan_targets(scanned: Scanned) -> list[tuple[str, ...]]:
    return [
        _target(f"log text scanned, GB/s, warm, {scan.name}", 2, _speed(scanned, scan.warm_seconds), at_least=True)
        for scan in scanned.scans
    ]


def _target(name: str, limit: float, value: float, at_least: bool = False) -> tuple[str, ...]:
    reached = value >= limit if at_least else value <= limit
    sign = "at least" if at_least else "at most"
    return name, f"{sign} {limit:g}", f"{value:.2f}", "reached" if reached else "**not reached**"


_INGEST = (
    "Each row is a new server on an empty directory. A process of its own sends requests that were written to a file "
    f"before, over {CONNECTIONS} connections, as fast as they are acknowledged. *CPU* is the server process's user and "
    "system time from the first request until all records can be queried, merges up to then included; *merging* is "
    "what it used in the five seconds after. *Stored* is records a second until then, *acknowledged* until the last "
    "200. Then a fifth as many are sent at half of the stored rate: *at half load*, where latency counts from when a "
    "request was due. Every record was counted in the store afterwards. *Disk* is all tables' active parts. Up "
    "to 4 GB of free memory were written to before the first row: a virtual machine gets its memory as it is first "
    "written to, which would be counted as the server's."
)


def _ingest(results: list[Result]) -> str:
    head = (
        "signal", "by", "records a request", "records", "bytes each", "stored/s", "MB/s", "acknowledged/s",
        "CPU-s per million", "merging", "at half load", "sender's", "p50/p99 ms flat out", "p50/p99 ms at half load",
        "peak MB", "disk bytes each", "disk/raw", "parts", "refused",
    )  # fmt: skip
    return table(head, map(_ingest_row, results))


def _ingest_row(result: Result) -> tuple[str, ...]:
    case, millions = result.case, result.case.records / 1e6
    return (
        case.signal, case.protocol, str(case.records_per_request), f"{case.records:,}",
        f"{result.bytes / case.records:.0f}", f"{result.records_per_second:,.0f}",
        f"{result.bytes / result.stored_seconds / 1e6:.0f}", f"{case.records / result.acknowledged_seconds:,.0f}",
        f"**{result.cpu_per_million:.2f}**", f"{result.merging_cpu / millions:.2f}", f"{result.paced_cpu:.2f}",
        f"{result.sender_cpu / millions:.2f}", _pair(result.flat_out), _pair(result.paced),
        f"{result.peak_bytes / 1e6:.0f}", f"{result.disk_bytes / case.records:.1f}",
        f"{result.disk_bytes / result.bytes:.3f}", str(result.parts), str(result.refused),
    )  # fmt: skip


def _resting(measured: Measured) -> str:
    rows = []
    for name, (p50, p99) in measured.visible.items():
        rows.append((f"visible after its 200, {name}, p50 / p99", f"{p50:.2f} / {p99:.2f} s"))
    for name, idle in measured.idle.items():
        share, memory = idle.cpu * 100, idle.resident_bytes / 1e6
        rows.append((f"idle, {name} server: CPU, memory", f"{share:.1f} % of a core, {memory:.0f} MB"))
    for name, seconds in measured.first_answers.items():
        rows.append((f"start to first answer, {name}", f"{seconds:.2f} s"))
    rows.append(("`pilothouse --help`", f"{measured.help_seconds:.2f} s"))
    return table(("what", "measured"), rows)


def _scan_text(scanned: Scanned) -> str:
    versions = "; ".join(scanned.versions.values()) or "neither grep nor rg was found"
    return (
        f"{scanned.lines:,} log lines, {scanned.text_bytes / 1e9:.2f} GB of text, sent through OTLP: "
        f"{scanned.disk_bytes / 1e9:.2f} GB in the store with all their attributes, the bodies alone "
        f"{scanned.body_disk_bytes / 1e9:.2f} GB. Timed is `count` of `signals/logs/asking.py` (resolve the selector, "
        f"then one SELECT over all lines) in a process on the store, {THREADS} threads, from call to number; *API* is "
        "`GET /api/logs?count=1&contains=...` of the running server, from request to answer. The API has no "
        "case-insensitive search and no regular expressions yet: there the same statement with another predicate was "
        "given to the engine. GB/s are of raw text. *Cold*: the files were dropped from the page cache. ClickHouse's "
        "query condition cache is off, but for *asked again*. Beside it the same lines in one text file under "
        f"`LC_ALL=C grep -c` and `rg -c` ({versions}), which must find as many. A ratio over 1 means that we are "
        "faster."
    )


def _scans(scanned: Scanned) -> str:
    tools = list(scanned.texts)
    head = (
        "scan", "pattern", "found", "warm s", "GB/s", "CPU-s", "cold s", "asked again s", "API s",
        *(column for tool in tools for column in (f"{tool} s", f"{tool} GB/s", f"{tool} cold s", f"ratio to {tool}")),
    )  # fmt: skip
    rows = []
    for scan in scanned.scans:
        pattern = SCANS[scan.name][1].replace("|", "\\|")
        row = [
            scan.name, f"`{pattern}`", f"{scan.found:,}", f"{scan.warm_seconds:.2f}",
            f"**{_speed(scanned, scan.warm_seconds):.2f}**", f"{scan.warm_cpu:.2f}", f"{scan.cold_seconds:.2f}",
            f"{scan.remembered_seconds:.2f}", f"{api:.2f}" if (api := scanned.through_api.get(scan.name)) else "",
        ]  # fmt: skip
        for tool in tools:
            text = scanned.texts[tool][scan.name]
            ratio = text.seconds / scan.warm_seconds
            row += [
                f"{text.seconds:.2f}",
                f"{_speed(scanned, text.seconds):.2f}",
                f"{text.cold_seconds:.2f}",
                f"{ratio:.2f}",
            ]
        rows.append(row)
    return table(head, rows)


def _speed(scanned: Scanned, seconds: float) -> float:
    return scanned.text_bytes / seconds / 1e9


def _named(result: Result) -> str:
    case = result.case
    return f"{case.signal} by {case.protocol}, {case.records_per_request} a request"


def _pair(pair: tuple[float, float]) -> str:
    return f"{pair[0]:.1f} / {pair[1]:.1f}"
