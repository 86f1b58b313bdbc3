"""Errors with the path to their field, worded as Knative's admission webhooks word them.

Source: the form of `knative.dev/pkg/apis.FieldError`, which Tekton's users see from `kubectl apply`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule: what, where (one or more paths below the object), and what would be right."""

    message: str
    paths: tuple[str, ...]
    details: str = ""

    def __str__(self) -> str:
        where = ", ".join(path for path in self.paths if path)
        line = f"{self.message}: {where}" if where else self.message
        return f"{line}\n{self.details}" if self.details else line

    def under(self, prefix: str) -> FieldError:
        """The same error seen from one level higher."""
        return replace(self, paths=tuple(join(prefix, path) for path in self.paths))


Errors = Iterator[FieldError]


def join(prefix: str, path: str) -> str:
    """`spec` and `steps[0]` are `spec.steps[0]`; an index joins without a dot."""
    if not prefix or not path:
        return prefix or path
    return prefix + path if path.startswith("[") else f"{prefix}.{path}"


def under(prefix: str, errors: Iterable[FieldError]) -> Errors:
    """All of `errors` seen from one level higher."""
    for error in errors:
        yield error.under(prefix)


def at(field: str, index: int, errors: Iterable[FieldError]) -> Errors:
    """All of `errors` below element `index` of the list `field`."""
    return under(f"{field}[{index}]", errors)


def missing(*paths: str) -> FieldError:
    """A field that must be there."""
    return FieldError("missing field(s)", paths)


def disallowed(*paths: str) -> FieldError:
    """A field that must not be there."""
    return FieldError("must not set the field(s)", paths)


def invalid(value: object, path: str, details: str = "") -> FieldError:
    """A value that cannot be."""
    return FieldError(f"invalid value: {value}", (path,), details)


def both(*paths: str) -> FieldError:
    """Fields of which only one may be set."""
    return FieldError("expected exactly one, got both", tuple(sorted(paths)))


def neither(*paths: str) -> FieldError:
    """Fields of which one must be set."""
    return FieldError("expected exactly one, got neither", tuple(sorted(paths)))


def general(message: str, *paths: str) -> FieldError:
    """Any other rule."""
    return FieldError(message, paths)
