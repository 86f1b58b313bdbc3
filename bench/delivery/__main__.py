"""`python -m bench.delivery [--quick]`: prints a table and, with --write, bench/delivery/RESULTS.md."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from bench.delivery.house import Bench, cpu, load, until
from bench.machine import here

TARGET_MS = 300.0


def first_step(bench: Bench, times: int) -> list[tuple[str, str]]:
    """From the event of a pull request's opening to the clock of its job's first step."""
    repository = bench.repository("acme/first", "date +%s%N")
    waits, used = [], []
    for at in range(times + 2):
        before = cpu()
        number = bench.pull(repository, f"b{at}")
        job = until(lambda number=number: next((one for one in bench.server.store.jobs(repository, number)
                                                if one.state == "success"), None))  # fmt: skip
        log = next((bench.directory / "pipelines" / "logs" / job.uid).rglob("*.log")).read_text()
        waits.append(int(log.strip()) / 1e6 - bench.heard[number] * 1e3)
        used.append(cpu() - before)
        bench.calm()
    # The first two fill caches that a server has.
    waits, used = sorted(waits[2:]), used[2:]
    return [
        ("webhook to first step, ms, median", f"{statistics.median(waits):.0f} (target: below {TARGET_MS:.0f})"),
        ("webhook to first step, ms, fastest and slowest", f"{waits[0]:.0f} / {waits[-1]:.0f}"),
        ("CPU-s a pull request (commit, opening, one job)", f"{statistics.median(used):.2f}"),
    ]


def events(bench: Bench, count: int) -> list[tuple[str, str]]:
    """Comments without a command on ten pull requests, from the first one's arrival until all are worked off."""
    repository = bench.repository("acme/events", "true")
    numbers = [bench.pull(repository, f"b{at}") for at in range(10)]
    bench.calm()
    until(lambda: not bench.server.store.jobs(unfinished=True))
    bench.calm()
    bob = bench.forge.acting_as("bob")
    before, begun = cpu(), time.monotonic()
    for at in range(count):
        bob.add_comment(repository, numbers[at % 10], f"I like line {at}.")
    bench.calm()
    took = time.monotonic() - begun
    return [
        ("events a second, decided on", f"{count / took:.0f}"),
        ("CPU-ms an event", f"{(cpu() - before) / count * 1e3:.1f}"),
    ]


def merges(bench: Bench, count: int, batch: int) -> list[tuple[str, str]]:
    """From the word that lets all go until all are merged, with a job of one second."""
    settings = f"merge: {{batch: {batch}, ahead: 1}}\n"
    repository = bench.repository(f"acme/merge{batch}", "sleep 1", settings)
    numbers = [bench.pull(repository, f"b{at}") for at in range(count)]
    bob = bench.forge.acting_as("bob")
    for number in numbers:
        bob.add_comment(repository, number, "/hold\n/lgtm\n/approve")
    part = bench.server.parts["local"]
    held = ["it has the label do-not-merge/hold"]
    until(lambda: all((part.why(repository, number) or {}).get("reasons") == held for number in numbers))
    before, begun = cpu(), time.monotonic()
    for number in numbers:
        bob.add_comment(repository, number, "/hold cancel")
    until(lambda: all(one.state == "merged" for one in bench.server.store.pulls(repository)))
    took = time.monotonic() - begun
    trees = [one for one in bench.server.pool("local", repository, "main")["history"] if one["what"] == "merged"]
    return [
        (
            f"merged a minute, batches of up to {batch}",
            f"{count / took * 60:.0f} ({count} in {took:.1f} s, {len(trees)} merges)",
        ),
        (f"CPU-s a pull request, batches of up to {batch}", f"{(cpu() - before) / count:.2f}"),
    ]


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer of everything")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as place:
        bench = Bench(Path(place))
        busy = load()
        rows += first_step(bench, 10 if given.quick else 40)
        rows += events(bench, 200 if given.quick else 2000)
        for batch in (1, 5, 20):
            rows += merges(bench, 10 if given.quick else 40, batch)
        bench.close()
    table = "\n".join(["| what | measured |", "|---|---|", *(f"| {what} | {said} |" for what, said in rows)])
    machine = here()
    where = f"{machine.processor}, {machine.cores} cores, {machine.system}"
    text = f"{machine.when}: {where}. Load average {busy} before and {load()} after.\n\n{table}\n"
    print(text)
    if given.write:
        _write(Path(__file__).with_name("RESULTS.md"), text, given.quick)


def _write(results: Path, text: str, quick: bool) -> None:
    """The table anew; what people wrote below it stays."""
    _, heading, written = results.read_text().partition("\n## ") if results.exists() else ("", "", "")
    head = "# Delivery\n\nMeasured by `python -m bench.delivery" + (" --quick" if quick else "") + "` on "
    results.write_text(head + text + heading + written)


if __name__ == "__main__":
    main()
