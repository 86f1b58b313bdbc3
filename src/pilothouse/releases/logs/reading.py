"""From the `logs` table to patterns: masked, grouped and counted in ClickHouse; Python sees no lines but examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.logs.pattern import MASK, Level, Pattern, Patterns
from pilothouse.releases.reading import BUDGET, NANOSECONDS_SQL, bound, column, window_sql, within_sql

if TYPE_CHECKING:
    import pyarrow as pa

    from pilothouse.engine import Engine
    from pilothouse.releases.statistics import Floats
    from pilothouse.releases.trial import Side, Trial

MOST_PATTERNS = 5000
_LONGEST = 500

# OTLP's severity numbers; a line without one is read by its words.
_LEVEL = """multiIf(severity_number >= 17, 3, severity_number >= 13, 2, severity_number >= 9, 1,
    severity_number > 0, 0, match(body, '(?i)\\\\b(error|exception|fatal|panic|traceback|critical)\\\\b'), 3,
    match(body, '(?i)\\\\bwarn(ing)?\\\\b'), 2, 1)"""
_LEVELS: tuple[Level, ...] = ("debug", "info", "warn", "error")

_PATTERNS = f"""
SELECT pattern, max(level) AS level, sum(n) AS total, any(line) AS example, max(trace) AS trace,
       groupArray(w) AS windows, groupArray(toUInt32(n)) AS counts
FROM (
    SELECT replaceRegexpAll(left(body, {_LONGEST}), {{mask:String}}, '<*>') AS pattern,
           {window_sql(NANOSECONDS_SQL)} AS w, count() AS n, max({_LEVEL}) AS level, any(left(body, 2000)) AS line,
           lower(hex(max(trace_id))) AS trace
    FROM logs WHERE identity IN {{identities:Array(UInt64)}} AND {within_sql(9)}
    GROUP BY pattern, w
)
GROUP BY pattern ORDER BY level DESC, total DESC, pattern LIMIT {MOST_PATTERNS + 1}"""


def read(engine: Engine, trial: Trial) -> Patterns:
    """The patterns of both sides; with more than 5,000 on a side, the gravest and then the most frequent."""
    found = trial.sides.map(lambda side: engine.query(_PATTERNS, bound(side) | {"mask": MASK}, BUDGET))
    patterns = _matched(found, trial)
    errors = [one.counts for one in patterns if one.level == "error"]
    nothing = trial.sides.map(lambda side: np.zeros(side.windows.count))
    return Patterns(
        patterns=patterns,
        errors=Both(
            sum((one.baseline for one in errors), nothing.baseline),
            sum((one.candidate for one in errors), nothing.candidate),
        ),
        lines=found.map(lambda table: int(column(table, "total").sum())),
        cut_off=any(table.num_rows > MOST_PATTERNS for table in found),
    )


def _matched(found: Both[pa.Table], trial: Trial) -> tuple[Pattern, ...]:
    sides = found.map(lambda table: {row["pattern"]: row for row in table.to_pylist()})
    patterns = []
    for text in sides.baseline | sides.candidate:
        rows = sides.map(lambda side, text=text: side.get(text))  # type: ignore[misc]
        known = [row for row in (rows.candidate, rows.baseline) if row]
        patterns.append(
            Pattern(
                text,
                cast("Level", _LEVELS[max(row["level"] for row in known)]),
                Both(_laid_out(rows.baseline, trial.sides.baseline), _laid_out(rows.candidate, trial.sides.candidate)),
                known[0]["example"],
                known[0]["trace"] if known[0]["trace"].strip("0") else "",
            )
        )
    return tuple(patterns)


def _laid_out(row: dict[str, list[int]] | None, side: Side) -> Floats:
    counts = np.zeros(side.windows.count)
    if row:
        places = np.array(row["windows"])
        inside = (places >= 0) & (places < len(counts))
        counts[places[inside]] = np.array(row["counts"])[inside]
    return counts
