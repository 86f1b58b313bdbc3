# ruff: noqa: E501
"""How long a verdict takes: one hour of a service with 500 series, 2,000,000 log lines, 500,000 spans, 720 profiles.

.venv/bin/python -m bench.releases.timing

fills an embedded store with statements (no ingest), asks for the verdict three times, and prints the seconds.
"""

from __future__ import annotations

import tempfile
import time

from pilothouse.engine import Engine, open_engine
from pilothouse.releases.both import Both
from pilothouse.releases.comparing import compare, conclude, read_and_test
from pilothouse.releases.siding import stage
from pilothouse.signals.timerange import NANOSECONDS, TimeRange

START = 1_780_000_000
SECONDS = 3600
_TIME = (
    f"toDateTime64({START}, 9, 'UTC') + toIntervalNanosecond(toInt64({SECONDS}e9 * rand64(1) / 18446744073709551615))"
)
# Two versions with two instances each; the same code, so that all of it has to be looked at.
_IDENTITY = "toUInt64(1 + rand64(2) % 4)"

STATEMENTS = (
    f"""INSERT INTO resources SELECT number + 1, signal,
        map('service.name', 'big', 'service.version', if(number < 2, '1.0.0', '2.0.0'), 'service.instance.id', toString(number)),
        'sss', toDateTime64({START} - 7200, 3, 'UTC'), toDateTime64({START + SECONDS}, 3, 'UTC')
        FROM numbers(4) ARRAY JOIN ['logs', 'metrics', 'traces', 'profiles'] AS signal""",
    f"""INSERT INTO spans (identity, name, kind, time, duration, status_code, trace_id, span_id)
        SELECT {_IDENTITY}, concat('GET /', toString(rand64(3) % 25)), if(rand64(3) % 25 < 10, 2, 3), {_TIME},
               toUInt64(exp(16 + randNormal(0, 0.6))), if(rand64(5) % 100 = 0, 2, 0), randomFixedString(16), randomFixedString(8)
        FROM numbers(500000)""",
    f"""INSERT INTO logs (identity, time, severity_number, body)
        SELECT {_IDENTITY}, {_TIME}, if(rand64(6) % 50 = 0, 17, 9),
               concat('handler ', char(97 + rand64(6) % 26), char(97 + rand64(7) % 4), ' served request ', hex(rand64(8)),
                      ' for user ', toString(generateUUIDv4()), ' in ', toString(rand64(9) % 1000), ' ms from 10.1.2.3:', toString(rand64(10) % 60000))
        FROM numbers(2000000)""",
    """INSERT INTO series (name, series, identity, attributes, kinds, type, unit, temporality, is_monotonic)
        SELECT concat('metric.', toString(intDiv(number, 20)), if(number % 3 = 0, '.errors', '.queue')), number, 1 + number % 4,
               map('part', toString(intDiv(number, 4) % 5)), 's', if(number % 3 = 0, 'sum', 'gauge'), '1', 2, number % 3 = 0
        FROM numbers(500)""",
    f"""INSERT INTO samples (series, time, start_time, number, divisor)
        SELECT series, toDateTime64({START}, 3, 'UTC') + toIntervalSecond(point * 15),
               toDateTime64({START} - 7200, 3, 'UTC'), if(series % 3 = 0, point * 100 + rand64(series + point) % 50, toInt64((50 + randNormal(0, 5)) * 1000)),
               if(series % 3 = 0, 1, 1000)
        FROM (SELECT number % 500 AS series, intDiv(number, 500) AS point FROM numbers(120000))""",
    """INSERT INTO profile_stacks (stack, month, functions, files, lines)
        SELECT number, toDate('2026-05-01'), arrayMap(n -> concat('function_', toString(intDiv(number, n + 1) * (n + 1))), range(20)),
               arrayMap(n -> 'app.py', range(20)), arrayMap(n -> 1, range(20)) FROM numbers(2000)""",
    f"""INSERT INTO profiles (identity, type, unit, time, duration, period)
        SELECT 1 + number % 4, 'cpu', 'ns', toDateTime64({START}, 3, 'UTC') + toIntervalSecond(intDiv(number, 4) * 20 + number % 4),
               15000000000, 10000000 FROM numbers(720)""",
    f"""INSERT INTO profile_samples (identity, type, time, stack, value)
        SELECT 1 + profile % 4, 'cpu', toDateTime64({START}, 3, 'UTC') + toIntervalSecond(intDiv(profile, 4) * 20 + profile % 4),
               rand64(number) % 2000, 10000000 * (1 + rand64(number + 1) % 4)
        FROM (SELECT number, intDiv(number, 400) AS profile FROM numbers(288000))""",
)  # fmt: skip


def fill(engine: Engine) -> None:
    """The hour of telemetry."""
    for statement in STATEMENTS:
        engine.command(statement)


def main() -> None:
    """Fill, ask, print."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        engine = open_engine(f"{folder}/store")
        began = time.monotonic()
        fill(engine)
        print(f"filled in {time.monotonic() - began:.1f} s")
        within = TimeRange(START * NANOSECONDS, (START + SECONDS) * NANOSECONDS)
        for _ in range(3):
            found = compare(engine, "big", "1.0.0", "2.0.0", within)
            tested = ", ".join(f"{name} {report.tested}" for name, report in found.signals.items())
            print(f"{found.verdict} in {found.took_seconds:.2f} s; tests: {tested}")
        began = time.monotonic()
        trial, _ = stage(engine, "big", Both("1.0.0", "2.0.0"), within)
        staged = time.monotonic()
        evidence, tests = read_and_test(engine, trial)
        known = time.monotonic()
        conclude(evidence, tests, trial)
        print(
            f"staging {staged - began:.2f} s, reading and testing {known - staged:.2f} s, concluding {time.monotonic() - known:.2f} s"
        )
        engine.close()


if __name__ == "__main__":
    main()
