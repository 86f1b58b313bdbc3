"""Proof that two findings are one: which requests logged the line, in whose spans the function ran.

A log line and an operation belong together when the requests that logged it are that operation's, more than the
operation's part of all requests. A function and an operation do when its samples carry the ids of that operation's
spans (Pyroscope's span profiles, OTLP profiles' links).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.releases.logs.pattern import MASK
from pilothouse.releases.reading import BUDGET, bound, within_sql

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.finding import Finding
    from pilothouse.releases.trial import Side, Trial

_MOST_TRACES = 2000
_LONGEST = 500
_MINE = f"identity IN {{identities:Array(UInt64)}} AND {within_sql(9)}"

# The longest text that all lines of the pattern share narrows before the expression looks.
_LINES = f"""SELECT DISTINCT trace_id FROM logs
WHERE {_MINE} AND trace_id != toFixedString('', 16) AND position(body, {{shared:String}}) > 0
  AND replaceRegexpAll(left(body, {_LONGEST}), {{mask:String}}, '<*>') = {{pattern:String}}
LIMIT {_MOST_TRACES}"""

_OPERATIONS = f"""SELECT name, count() AS n, countIf(told) AS with_line, avgIf(duration, told) AS slow,
    avgIf(duration, NOT told) AS quick, countIf(status_code = 2 AND told) AS failed
FROM (SELECT name, duration, status_code, trace_id IN ({_LINES}) AS told FROM spans WHERE {_MINE} AND kind IN (2, 5))
GROUP BY name"""

_SAMPLES = f"""SELECT name, sum(value) AS cost FROM (
    SELECT lower(attributes['span_id']) AS span, sum(value) AS value FROM profile_samples
    WHERE identity IN {{identities:Array(UInt64)}} AND {within_sql(3)} AND attributes['span_id'] != ''
      AND stack IN (SELECT stack FROM profile_stacks WHERE has(functions, {{function:String}}))
    GROUP BY span ORDER BY value DESC LIMIT {_MOST_TRACES}
) AS samples INNER JOIN (
    SELECT lower(hex(span_id)) AS span, any(name) AS name FROM spans WHERE {_MINE} GROUP BY span
) AS spans USING (span) GROUP BY name"""


@dataclass(frozen=True, slots=True)
class Association:
    """How a finding's subject goes with an operation's requests.

    `held` is the part of the subject's occurrences that the operation has, `expected` the operation's part of all
    requests. `slow` and `quick` are mean milliseconds of the operation's requests with and without it (0: unknown).
    """

    operation: str
    held: float
    expected: float
    slow: float = 0.0
    quick: float = 0.0

    @property
    def lift(self) -> float:
        """How many times more often than by chance."""
        return self.held / self.expected if self.expected > 0 else 0.0


def of_line(engine: Engine, side: Side, finding: Finding) -> list[Association]:
    """The operations whose requests logged a pattern, the most of it first."""
    shared = max(finding.subject.split("<*>"), key=len).strip()
    parameters = bound(side) | {"shared": shared, "mask": MASK, "pattern": finding.subject}
    rows = engine.query(_OPERATIONS, parameters, BUDGET).to_pylist()
    told, every = sum(row["with_line"] for row in rows), sum(row["n"] for row in rows)
    if not told:
        return []
    return sorted(
        (
            Association(row["name"], row["with_line"] / told, row["n"] / every, row["slow"] / 1e6, row["quick"] / 1e6)
            for row in rows
            if row["with_line"]
        ),
        key=lambda one: -one.held,
    )


def of_function(engine: Engine, trial: Trial, finding: Finding) -> list[Association]:
    """The operations in whose spans a function's samples were taken, the most of it first."""
    side = trial.sides.candidate if finding.direction == "worse" else trial.sides.baseline
    rows = engine.query(_SAMPLES, bound(side) | {"function": finding.subject}, BUDGET).to_pylist()
    whole = sum(row["cost"] for row in rows)
    found = (Association(row["name"], row["cost"] / whole, 1 / len(rows)) for row in rows if whole)
    return sorted(found, key=lambda one: -one.held)
