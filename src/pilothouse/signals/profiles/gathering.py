"""From rows back to one `Profile` with everything that was known: what an export is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.signals.profiles.asking import Kept, Selection, condition_of, stacks_of
from pilothouse.signals.profiles.model import Frames, Numbers, Profile, SampleType, Stacks

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine


def gather(engine: Engine, there: Kept, selection: Selection, budget: Budget | None = None) -> Profile:
    """One profile of a type: equal stacks with equal labels are summed, and nothing else is lost."""
    condition, parameters = condition_of(selection, "s", "l")
    known, said = stacks_of([selection])
    table = engine.query(
        "SELECT functions, files, lines, mappings, inlined, attributes, value "
        f"FROM (SELECT * FROM profile_stacks WHERE {known}) AS known ANY RIGHT JOIN ("
        "SELECT stack, attributes, sum(value) AS value FROM profile_samples "
        f"WHERE type = {{type:String}} AND {condition} GROUP BY stack, attributes"
        ") AS costs USING (stack) ORDER BY value DESC, stack, attributes",
        {"type": there.type, **parameters, **said},
        budget,
    )
    rows = table.to_pylist()
    stacks, stack_of = _stacks(rows)
    labels_of, label_sets = _labels(rows)
    return Profile(
        resource={}, time=selection.within.start, duration=round(there.seconds * 1e9),
        types=(SampleType(there.type, there.unit, there.period, there.period_type, there.period_unit),), stacks=stacks,
        stack_of=stack_of, labels_of=labels_of, label_sets=label_sets,
        values=np.array([row["value"] for row in rows], np.int64).reshape(-1, 1),
    )  # fmt: skip


def _stacks(rows: list[dict[str, Any]]) -> tuple[Stacks, Numbers]:
    known: dict[tuple[Any, ...], int] = {}
    stacks: dict[tuple[int, ...], int] = {}
    stack_of = []
    for row in rows:
        columns = (row["functions"], row["files"], row["lines"], row["mappings"], row["inlined"])
        places = tuple(known.setdefault(frame, len(known)) for frame in zip(*columns, strict=True))
        stack_of.append(stacks.setdefault(places, len(stacks)))
    functions, files, lines, mappings, inlined = (
        (list(column) for column in zip(*known, strict=True)) if known else [[]] * 5
    )
    frames = Frames(functions, files, np.array(lines, np.int64), mappings, np.array(inlined, np.bool_))
    offsets = np.concatenate(([0], np.cumsum([len(places) for places in stacks]))).astype(np.int64)
    flat = np.array([place for places in stacks for place in places], np.int64)
    return Stacks(frames, flat, offsets), np.array(stack_of, np.int64)


def _labels(rows: list[dict[str, Any]]) -> tuple[Numbers, list[dict[str, str]]]:
    known: dict[tuple[tuple[str, str], ...], int] = {(): 0}
    places = [known.setdefault(tuple(sorted(row["attributes"])), len(known)) for row in rows]
    return np.array(places, np.int64), [dict(labels) for labels in known]
