"""Fan-out: a pipeline task with a matrix becomes one run for each combination. Source: `matrix_types.go`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pilothouse.delivery.pipelines import whens
from pilothouse.delivery.pipelines.checking.names import is_label
from pilothouse.delivery.pipelines.checking.pipeline_tasks import MOST_COMBINATIONS
from pilothouse.delivery.pipelines.errors import RunError


@dataclass(frozen=True, slots=True)
class Combination:
    """The parameters of one run of a matrix, and the name that an include gave it."""

    params: dict[str, str]
    name: str = ""


def is_empty(matrix: dict[str, Any]) -> bool:
    """Whether a parameter of the matrix has no values."""
    return any(isinstance(one.get("value"), list) and not one["value"] for one in matrix.get("params") or [])


def excluded(matrix: dict[str, Any]) -> bool:
    """Whether conditions leave nothing of a matrix that consists of includes."""
    return bool(matrix.get("include")) and not matrix.get("params") and not _wanted(matrix)


def suffixes(matrix: dict[str, Any], found: list[Combination]) -> list[str]:
    """What tells the runs of a matrix apart in their names: their includes' names where each has a good one of its own,
    else their numbers.
    """
    names = [one.name for one in found]
    if not matrix.get("params") and len(set(names)) == len(names) and all(map(is_label, names)):
        return names
    return [str(index) for index in range(len(found))]


def combinations(matrix: dict[str, Any]) -> list[Combination]:
    """All combinations, the first parameter varying fastest, as Tekton numbers them. Raises `RunError`."""
    found: list[dict[str, str]] = []
    for one in matrix.get("params") or []:
        values = one.get("value")
        if not isinstance(values, list):
            raise RunError(
                "InvalidMatrixParameterTypes",
                f"parameters of type array only are allowed in matrix, but param {one['name']!r} is a string",
            )
        name = one["name"]
        found = [{**combination, name: str(value)} for value in values for combination in found or [{}]]
    named = _included([Combination(one) for one in found], _wanted(matrix))
    if len(named) > MOST_COMBINATIONS:
        raise RunError("PipelineValidationFailed", f"matrix: expected 0 <= {len(named)} <= {MOST_COMBINATIONS}")
    return [Combination(dict(sorted(one.params.items())), one.name) for one in named]


def _wanted(matrix: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in matrix.get("include") or [] if whens.hold(one.get("when") or [])]


def _included(found: list[Combination], includes: list[dict[str, Any]]) -> list[Combination]:
    """Each include adds to all combinations that it does not contradict, or else is one more."""
    original = {name for one in found for name in one.params}
    for include in includes:
        params = {one["name"]: str(one.get("value", "")) for one in include.get("params") or []}
        name = str(include.get("name", ""))
        fits = [
            index
            for index, one in enumerate(found)
            if original
            and params.keys() & original
            and all(one.params.get(key) == params[key] for key in params.keys() & original)
        ]
        if not params.keys() & original and original:
            fits = list(range(len(found)))
        for index in fits:
            one = found[index]
            found[index] = Combination({**one.params, **params}, name or one.name)
        if not fits:
            found.append(Combination(params, name))
    return found
