"""The Common Expression Language, by Google's own C++ runtime (`cel-expr-python`), imported when first needed.

Tekton evaluates `when.cel` in a bare environment after text substitution: no variables, no libraries, strict types
(`'0.95' > 0.9` is an error there and here).
"""

from __future__ import annotations

import functools
from typing import Any

from pilothouse.delivery.pipelines.errors import PipelineError


class CelError(PipelineError):
    """An expression that does not compile, cannot be evaluated, or is not of the type that is needed."""


@functools.cache
def _bare() -> Any:
    try:
        from cel_expr_python import cel
    except ImportError:
        raise CelError(
            "CEL expressions need the package cel-expr-python, which has no build for this platform"
        ) from None
    return cel.NewEnv()


@functools.lru_cache(512)
def compiled(expression: str) -> Any:
    """The checked expression. Raises `CelError` with the compiler's words."""
    try:
        return _bare().compile(expression)
    except Exception as error:  # the runtime raises bare RuntimeError and ValueError
        if isinstance(error, CelError):
            raise
        raise CelError(_short(str(error))) from None


def holds(expression: str) -> bool:
    """Whether a boolean expression without variables is true. Raises `CelError`."""
    try:
        value = compiled(expression).eval(data={}).value()
    except CelError:
        raise
    except Exception as error:
        raise CelError(_short(str(error))) from None
    if not isinstance(value, bool):
        raise CelError(f"CEL expression {expression!r} is not a boolean")
    return value


def _short(text: str) -> str:
    return " ".join(text.split())[:400]
