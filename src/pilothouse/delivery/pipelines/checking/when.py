"""When expressions. Source: `when_validation.go`."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.pipelines.fields import Errors, general, invalid


def expressions(found: list[dict[str, Any]]) -> Errors:
    """The rules for a list of when expressions; paths start with `when[i]`."""
    for index, one in enumerate(found):
        for error in _one(one):
            yield error.under(f"when[{index}]")


def _one(one: dict[str, Any]) -> Errors:
    operator = one.get("operator", "")
    if one.get("cel"):
        if one.get("input") or operator or one.get("values"):
            yield general(f"cel and input+operator+values cannot be set in one WhenExpression: {one}", "")
            return
        if "$(" not in one["cel"]:
            yield from _compiles(one["cel"])
        return
    if operator not in ("in", "notin"):
        yield invalid(f'operator "{operator}" is not recognized. valid operators: in,notin', "")
    elif not one.get("values"):
        yield invalid("expecting non-empty values field", "")


def _compiles(expression: str) -> Errors:
    from pilothouse.delivery.pipelines.cel import CelError, compiled

    try:
        compiled(expression)
    except CelError as error:
        yield invalid(f"invalid cel expression: {expression} with err: {error}", "cel")
