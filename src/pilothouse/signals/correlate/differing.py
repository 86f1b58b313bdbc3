"""What is different about a selection: the attributes that it has more often than the rest, ranked.

For each attribute and value the shares of both sides that have it are compared. What is ranked is the lower end of the
difference's 99.9 % interval, so that a handful of rows cannot lead. Attributes that are nearly a name of each row (ids)
say nothing and are left out; numbers are compared as distributions, by the Kolmogorov-Smirnov statistic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilothouse.signals.selecting import resources
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.correlate.selection import Selection

MOST_ROWS = 50_000
"""Of each side, so many rows are looked at; of more, a sample by the hash of their ids."""
_LONGEST = 256
_MOST_VALUES = 5000
_SURE = 3.29
# Above this many values for each hundred rows an attribute is an id.
_NEARLY_EACH = 0.5
_MANY = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """`inside` and `outside` are the shares of the selection and of the rest that have `value`; `score` 0 to 1.

    Numbers have no value but `median_inside` and `median_outside`; their `score` is the statistic's lower end.
    """

    attribute: str
    value: str
    of: str
    inside: float
    outside: float
    score: float
    median_inside: float | None = None
    median_outside: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As `/api/correlate/different` answers it."""
        said: dict[str, Any] = {"attribute": self.attribute, "of": self.of, "score": round(self.score, 4)}
        if self.median_inside is not None:
            return said | {"median_inside": self.median_inside, "median_outside": self.median_outside}
        return said | {"value": self.value, "inside": self.inside, "outside": self.outside}


def different(engine: Engine, selection: Selection, limit: int, budget: Budget | None = None) -> dict[str, Any]:
    """How large both sides are, and the differences, the most telling first."""
    signal = "traces" if selection.table == "spans" else "logs"
    known = {one.identity: one for one in resources(engine, selection.selector, selection.within, signal)}
    asked = _Asked(engine, selection, list(known), budget)
    inside, outside = asked.sizes()
    found: list[Difference] = []
    if inside and outside:
        sampled = asked.sampled(inside, outside)
        found += _resources(sampled.identities(), {number: one.attributes for number, one in known.items()})
        found += sampled.attributes()
        found.sort(key=lambda one: (-one.score, one.attribute, one.value))
    return {
        "signal": signal,
        "selected": selection.said,
        "start": to_rfc3339(selection.within.start),
        "end": to_rfc3339(selection.within.end),
        "inside": inside,
        "outside": outside,
        "differences": [one.to_json() for one in found[:limit]],
    }


class _Asked:
    """The questions about one selection; `keep` narrows to a sample of the rows."""

    def __init__(self, engine: Engine, selection: Selection, identities: list[int], budget: Budget | None) -> None:
        self._engine, self._selection, self._budget = engine, selection, budget
        self._parameters: dict[str, Any] = selection.parameters | {
            "identities": identities, "start": selection.within.start, "end": selection.within.end,
        }  # fmt: skip
        self._keep = "1"

    @property
    def _where(self) -> str:
        return (
            "identity IN {identities:Array(UInt64)} AND time >= fromUnixTimestamp64Nano({start:Int64}, 'UTC') "
            f"AND time < fromUnixTimestamp64Nano({{end:Int64}}, 'UTC') AND {self._selection.population} "
            f"AND {self._keep}"
        )

    def _query(self, sql: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._engine.query(sql, self._parameters, self._budget).to_pylist()
        return rows

    def sizes(self) -> tuple[int, int]:
        """Rows of the selection and of the rest."""
        if not self._parameters["identities"]:
            return 0, 0
        row = self._query(
            f"SELECT countIf({self._selection.chosen}) AS inside, count() - inside AS outside "
            f"FROM {self._selection.table} WHERE {self._where}"
        )[0]
        return row["inside"], row["outside"]

    def sampled(self, inside: int, outside: int) -> _Asked:
        """The same, of at most `MOST_ROWS` rows a side."""
        shares = [max(1, math.ceil(size / MOST_ROWS)) for size in (inside, outside)]
        if max(shares) > 1:
            hashed = "cityHash64(trace_id, span_id, toUnixTimestamp64Nano(time))"
            self._keep = f"{hashed} % if({self._selection.chosen}, {shares[0]}, {shares[1]}) = 0"
        return self

    def identities(self) -> list[dict[str, Any]]:
        """Rows of each side by identity."""
        return self._query(
            f"SELECT identity, countIf({self._selection.chosen}) AS inside, count() - inside AS outside "
            f"FROM {self._selection.table} WHERE {self._where} GROUP BY identity"
        )

    def attributes(self) -> list[Difference]:
        """Differences of the rows' own attributes and fields."""
        inside, outside = self.sizes()
        numbers, ids = self._numbers_and_ids()
        self._parameters |= {"left": [*numbers, *ids]}
        rows = self._query(
            f"SELECT pair.1 AS key, left(pair.2, {_LONGEST}) AS value, countIf(chosen) AS inside, "
            f"count() - inside AS outside FROM ({self._pairs()}) WHERE key NOT IN {{left:Array(String)}} "
            f"GROUP BY key, value HAVING inside + outside >= 3 "
            f"ORDER BY abs(inside / {max(inside, 1)} - outside / {max(outside, 1)}) DESC LIMIT {_MOST_VALUES}"
        )
        own = "span" if self._selection.table == "spans" else "line"
        shares = [_share(row["key"], row["value"], own, row["inside"], row["outside"], inside, outside) for row in rows]
        return [one for one in shares if one] + self._distributions(numbers, own)

    def _pairs(self) -> str:
        fields = "".join(f", ('{name}', toString({name}))" for name in self._selection.fields)
        array = (
            f"arrayFilter(p -> p.2 != '', arrayConcat(arrayZip(mapKeys(attributes), mapValues(attributes)), "
            f"[{fields.removeprefix(', ')}]))"
        )
        return (
            f"SELECT arrayJoin({array}) AS pair, {self._selection.chosen} AS chosen "
            f"FROM {self._selection.table} WHERE {self._where}"
        )

    def _numbers_and_ids(self) -> tuple[list[str], list[str]]:
        """Attributes that are numbers of many values, and those that name each row."""
        rows = self._query(
            f"SELECT pair.1 AS key, count() AS n, uniq(pair.2) AS values, "
            f"countIf(isNotNull(toFloat64OrNull(pair.2))) AS numeric, uniqIf(pair.2, chosen) AS within, "
            f"countIf(chosen) AS inside FROM ({self._pairs()}) GROUP BY key"
        )
        many = [row for row in rows if row["values"] > _MANY]
        numbers = [row["key"] for row in many if row["numeric"] == row["n"] and 0 < row["inside"] < row["n"]]
        ids = [row["key"] for row in many if row["values"] > _NEARLY_EACH * row["n"] and row["key"] not in numbers]
        return numbers, ids

    def _distributions(self, numbers: list[str], own: str) -> list[Difference]:
        if not numbers:
            return []
        self._parameters |= {"numbers": numbers}
        rows = self._query(
            "SELECT key, kolmogorovSmirnovTest('two-sided', 'asymptotic')(number, chosen) AS tested, "
            "quantileExactIf(0.5)(number, chosen = 1) AS inside, quantileExactIf(0.5)(number, chosen = 0) AS outside, "
            "countIf(chosen = 1) AS n, countIf(chosen = 0) AS m FROM ("
            f"SELECT pair.1 AS key, assumeNotNull(toFloat64OrNull(pair.2)) AS number, toUInt8(chosen) AS chosen "
            f"FROM ({self._pairs()}) WHERE key IN {{numbers:Array(String)}} AND isFinite(number)) GROUP BY key "
            "HAVING n >= 5 AND m >= 5"
        )
        found = []
        for row in rows:
            statistic = next(iter(row["tested"].values())) if isinstance(row["tested"], dict) else row["tested"][0]
            # Half a statistic of 1.95 times this is what chance reaches once in a thousand (Smirnov).
            chance = 1.95 * math.sqrt((row["n"] + row["m"]) / (row["n"] * row["m"]))
            if statistic > chance:
                found.append(
                    Difference(row["key"], "", own, 0.0, 0.0, statistic - chance, row["inside"], row["outside"])
                )
        return found


def _resources(rows: list[dict[str, Any]], known: dict[int, dict[str, str]]) -> list[Difference]:
    """Differences of the resources' attributes, counted by identity."""
    counts: dict[tuple[str, str], list[int]] = {}
    inside, outside = sum(row["inside"] for row in rows), sum(row["outside"] for row in rows)
    for row in rows:
        for pair in known.get(row["identity"], {}).items():
            count = counts.setdefault(pair, [0, 0])
            count[0] += row["inside"]
            count[1] += row["outside"]
    shares = [
        _share(key, value, "resource", mine, others, inside, outside) for (key, value), (mine, others) in counts.items()
    ]
    return [one for one in shares if one]


def _share(key: str, value: str, of: str, mine: int, others: int, inside: int, outside: int) -> Difference | None:
    """The difference of two shares, when it is surely one; the selection having it less often does not count."""
    one, other = mine / inside, others / outside
    # Agresti and Caffo's two pseudo-observations keep the error honest near 0 and 1.
    first, second = (mine + 1) / (inside + 2), (others + 1) / (outside + 2)
    error = math.sqrt(first * (1 - first) / (inside + 2) + second * (1 - second) / (outside + 2))
    score = first - second - _SURE * error
    return Difference(key, value, of, one, other, score) if score > 0 else None
