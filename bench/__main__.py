"""`python -m bench`: everything, about a quarter of an hour on two cores; `--quick` a tenth of it.

The whole of it is written to RESULTS.md; a part of it only where `--output` says, so that no file is made of tables of
different days.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
from pathlib import Path

from bench import ingest, machine, report, resting, scan, serving, visible
from bench.ingest import Case
from bench.report import Measured

RECORDS = {"logs": 4_000_000, "spans": 2_000_000, "samples": 6_000_000, "histograms": 1_000_000}
LINES = 10_000_000
_PARTS = ("ingest", "resting", "scan")
_RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> None:
    """Measure, print, and write RESULTS.md."""
    given = _arguments()
    # Ended by SIGTERM it must end its server too: an exception runs the `finally`s.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    shrink = 10 if given.quick else 1
    here = machine.here()
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-", dir=given.directory) as name:
        directory = Path(name)
        cases = _cases(given.signal, shrink) if "ingest" in given.parts else []
        if cases:
            _say("free memory written to: {:.2f} CPU-seconds a gigabyte, then {:.2f}".format(*machine.touch_memory()))
        results = [_ingest(given.command, directory / "ingest", case) for case in cases]
        seen: dict[str, tuple[float, float]] = {}
        idle: dict[str, resting.Idle] = {}
        first: dict[str, float] = {}
        scanned = None
        if "resting" in given.parts:
            _say("time to visible, idle, start on an empty directory")
            first["on an empty directory"] = statistics.median(
                resting.first_answer(given.command, directory / f"empty{turn}") for turn in range(3)
            )
            seen, idle["new"] = _resting(given.command, directory / "resting", given.quick)
        if "scan" in given.parts:
            scanned = _scan(given.command, directory / "scan", LINES // shrink, idle, first, given.quick)
        seconds = resting.help_seconds(given.command)
    load = os.getloadavg()[0]
    text = report.render(Measured(here, load, given.quick, results, scanned, seen, idle, first, seconds))
    print(text)
    if output := given.output or (_RESULTS if _is_whole(given) else None):
        output.write_text(report.with_history(text, output.read_text() if output.exists() else ""))
        _say(f"written to {output}")


def _is_whole(given: argparse.Namespace) -> bool:
    return set(given.parts) == set(_PARTS) and set(given.signal) == set(RECORDS)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the records and lines")
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=_PARTS)
    parser.add_argument("--signal", nargs="+", choices=RECORDS, default=list(RECORDS), help="for the ingest part")
    parser.add_argument("--command", default=f"{sys.executable} -m pilothouse", help="what starts pilothouse")
    parser.add_argument("--directory", type=Path, help="where data is written meanwhile (some 10 GB)")
    parser.add_argument("--output", type=Path, help="where it is written; RESULTS.md when everything is measured")
    return parser.parse_args()


def _cases(signals: list[str], shrink: int) -> list[Case]:
    return [
        Case(name, protocol, size, RECORDS[name] // shrink // (1 if size == 1000 else 4))
        for name in signals
        for protocol in ("http", "grpc")
        for size in (1000, 100)
    ]


def _ingest(command: str, directory: Path, case: Case) -> ingest.Result:
    _say(f"{case.records:,} {case.signal} by {case.protocol}, {case.records_per_request} a request")
    directory.mkdir()
    result = ingest.run(command, directory, case)
    _say(f"    {result.cpu_per_million:.2f} CPU-s per million, {result.records_per_second:,.0f}/s stored")
    return result


def _resting(command: str, directory: Path, quick: bool) -> tuple[dict[str, tuple[float, float]], resting.Idle]:
    server = serving.start(command, directory)
    try:
        idle = resting.idle(server, 10 if quick else 30)
        seen = visible.delays(server, 10 if quick else 50)
        server.stop()
    finally:
        server.end()
    return seen, idle


def _scan(
    command: str, directory: Path, lines: int, idle: dict[str, resting.Idle], first: dict[str, float], quick: bool
) -> scan.Scanned:
    _say(f"{lines:,} log lines to scan")
    server = serving.start(command, directory)
    try:
        text = scan.load(server, directory, lines)
        asked = scan.through_api(server)
        idle["loaded"] = resting.idle(server, 10 if quick else 30)
        server.stop()
    finally:
        server.end()
    first[f"on {lines:,} records"] = statistics.median(resting.first_answer(command, directory) for _ in range(3))
    return scan.scan(directory / "data" / "store", text, lines, asked)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
