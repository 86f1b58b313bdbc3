"""Fan-out: a pipeline task with a matrix becomes one run for each combination. Source: `matrix_types.go`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    named = _included([Combination(one) for one in found], matrix.get("include") or [])
    if len(named) > MOST_COMBINATIONS:
        raise RunError("PipelineValidationFailed", f"matrix: expected 0 <= {len(named)} <= {MOST_COMBINATIONS}")
    return [Combination(dict(sorted(one.params.items())), one.name) for one in named]


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
