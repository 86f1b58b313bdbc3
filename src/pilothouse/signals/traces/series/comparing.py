"""`compare()`: how often each attribute has each value, among the selected spans and among all others."""

from __future__ import annotations

from typing import Any

import numpy as np

from pilothouse.signals.traces.compiling.scope import Scope
from pilothouse.signals.traces.compiling.sources import source
from pilothouse.signals.traces.series.series import Series, Steps

_NAMES = ("baseline", "selection")
_TOO_MANY = "__too_many_values__"
_KIND = (
    "transform(kind, [0, 1, 2, 3, 4, 5], ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'], '')"
)
_STATUS = "transform(status_code, [0, 1, 2], ['unset', 'ok', 'error'], '')"
_OF_SPAN = "arrayMap((k, v) -> (concat('span.', k), v), mapKeys(attributes), mapValues(attributes))"
_RESOURCES = (
    "(SELECT identity, arrayMap((k, v) -> (concat('resource.', k), v), mapKeys(any(attributes)), "
    "mapValues(any(attributes))) AS of_resource FROM resources WHERE signal = 'traces' GROUP BY identity)"
)


def comparison(scope: Scope, steps: Steps, where: str, selected: str, values: int) -> list[Series]:
    """For each attribute the most frequent values of either side, and the totals of all."""
    place = f"intDiv(toUnixTimestamp64Nano(time) - {steps.start}, {steps.step})"
    intrinsics = (
        f"[('name', toString(name)), ('kind', {_KIND}), ('status', {_STATUS}), ('statusMessage', status_message)]"
    )
    rows = scope.engine.query(
        f"""SELECT side, pair.1 AS attribute, pair.2 AS value, sum(spans) AS total,
                   groupArray((step, spans)) AS points,
                   row_number() OVER (PARTITION BY side, attribute ORDER BY total DESC, value) AS rank
            FROM (
                SELECT side, step, pair, count() AS spans
                FROM (SELECT identity, toUInt8({selected}) AS side, {place} AS step,
                             arrayConcat({intrinsics}, {_OF_SPAN}) AS of_span
                      FROM {source(scope)} WHERE {where}) AS found
                ANY LEFT JOIN {_RESOURCES} AS r USING (identity)
                ARRAY JOIN arrayConcat(of_span, of_resource) AS pair
                GROUP BY side, step, pair)
            GROUP BY side, attribute, value ORDER BY side, attribute, rank LIMIT 200000""",
        scope.parameters,
        scope.budget,
    ).to_pylist()
    return _series(rows, steps, values)


def _series(rows: list[dict[str, Any]], steps: Steps, values: int) -> list[Series]:
    totals: dict[tuple[int, str], Any] = {}
    found: list[Series] = []
    crowded: set[tuple[int, str]] = set()
    for row in rows:
        side, attribute = row["side"], row["attribute"]
        numbers = np.zeros(steps.count)
        for point in row["points"]:
            step, spans = point.values() if isinstance(point, dict) else point
            numbers[step] = spans
        totals.setdefault((side, attribute), np.zeros(steps.count))
        totals[side, attribute] += numbers
        if row["rank"] <= values:
            found.append(Series((("__meta_type", _NAMES[side]), (attribute, row["value"])), numbers))
        else:
            crowded.add((side, attribute))
    for side, attribute in sorted(crowded):
        labels = (("__meta_error", _TOO_MANY), ("__meta_type", _NAMES[side]), (attribute, None))
        found.append(Series(labels, np.zeros(steps.count)))
    for (side, attribute), numbers in totals.items():
        found.append(Series((("__meta_type", f"{_NAMES[side]}_total"), (attribute, None)), numbers))
    return found
