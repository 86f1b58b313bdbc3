"""Whether when expressions hold, after their references were replaced. Source: `when_types.go`."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.pipelines import cel
from pilothouse.delivery.pipelines.errors import PipelineError


class WhenError(PipelineError):
    """A CEL expression that cannot be evaluated."""


def hold(expressions: list[dict[str, Any]]) -> bool:
    """Whether all hold. Raises `WhenError`."""
    return all(_one(expression) for expression in expressions)


def _one(expression: dict[str, Any]) -> bool:
    if text := expression.get("cel"):
        try:
            return cel.holds(text)
        except cel.CelError as error:
            raise WhenError(f"CEL expression {text!r}: {error}") from None
    found = str(expression.get("input", "")) in [str(value) for value in expression.get("values") or []]
    return found if expression.get("operator") == "in" else not found
