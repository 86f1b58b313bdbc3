"""CEL over an occasion, as `on-cel-expression` and `{{ cel: ... }}` have it (Pipelines-as-Code, "Matching events")."""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import Any

from pilothouse.delivery.triggering.globbing import matches
from pilothouse.delivery.triggering.occasion import Occasion

_PATHS: ContextVar[tuple[str, ...]] = ContextVar("changed paths", default=())


class CelError(ValueError):
    """An expression that cannot be evaluated; the message has the expression."""


def check(text: str) -> None:
    """Raises `CelError` for what does not compile."""
    _compiled(text)


def evaluate(text: str, occasion: Occasion) -> Any:
    """The value of an expression. Raises `CelError`."""
    files = occasion.files
    data = {
        "event": occasion.event,
        "event_type": occasion.event,
        "target_branch": occasion.target_branch,
        "source_branch": occasion.source_branch,
        "target_url": occasion.url,
        "source_url": occasion.source_url or occasion.url,
        "event_title": occasion.title,
        "trigger_comment": occasion.comment,
        "body": dict(occasion.body),
        "headers": dict(occasion.headers),
        "files": {"all": list(files.all), "added": list(files.added), "modified": list(files.modified),
                  "deleted": list(files.deleted), "renamed": list(files.renamed)},
    }  # fmt: skip
    token = _PATHS.set(files.all)
    try:
        return _compiled(text).eval(data=data).plain_value()
    except CelError:
        raise
    except Exception as error:  # the runtime raises bare RuntimeError
        raise CelError(f"{' '.join(text.split())!r}: {_short(error)}") from None
    finally:
        _PATHS.reset(token)


@functools.lru_cache(256)
def _compiled(text: str) -> Any:
    try:
        return _environment().compile(text)
    except CelError:
        raise
    except Exception as error:
        raise CelError(f"{' '.join(text.split())!r}: {_short(error)}") from None


@functools.cache
def _environment() -> Any:
    try:
        from cel_expr_python import cel
        from cel_expr_python.ext import ext_strings
    except ImportError:
        raise CelError("CEL needs the package cel-expr-python, which has no build for this platform") from None
    kind = cel.Type
    overload = cel.Overload(
        "pilothouse_path_changed", return_type=kind.BOOL, parameters=[kind.STRING], is_member=True, impl=_changed
    )
    changed = cel.FunctionDecl("pathChanged", [overload])
    texts = ("event", "event_type", "target_branch", "source_branch", "target_url", "source_url", "event_title",
             "trigger_comment")  # fmt: skip
    variables = dict.fromkeys(texts, kind.STRING) | dict.fromkeys(("body", "headers", "files"), kind.DYN)
    return cel.NewEnv(variables=variables, extensions=[ext_strings.ExtStrings()], functions=[changed])


def _changed(pattern: str) -> bool:
    return any(matches(pattern, path) for path in _PATHS.get())


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
