"""CEL over events, with Triggers' own functions. Source: `docs/cel_expressions.md` of tektoncd/triggers."""

from __future__ import annotations

import base64
import functools
import hmac
import json
from typing import Any
from urllib.parse import urlsplit

from pilothouse.delivery.pipelines.triggers.event import Event, TriggerError


def evaluate(text: str, event: Event) -> Any:
    """The value of an expression for an event. Raises `TriggerError`."""
    data = {
        "body": _doubles(event.body), "header": {name.title(): [value] for name, value in event.headers.items()},
        "extensions": _doubles(event.extensions), "requestURL": event.url, "context": {"eventID": event.identity},
    }  # fmt: skip
    try:
        return _plain(_compiled(text).eval(data=data).plain_value())
    except TriggerError:
        raise
    except Exception as error:  # the runtime raises bare RuntimeError
        raise TriggerError(f"expression {text!r}: {' '.join(str(error).split())[:300]}", 202) from None


@functools.lru_cache(256)
def _compiled(text: str) -> Any:
    return _environment().compile(text)


@functools.cache
def _environment() -> Any:
    try:
        from cel_expr_python import cel
        from cel_expr_python.ext import ext_encoders, ext_math, ext_strings
    except ImportError:
        raise TriggerError("CEL needs the package cel-expr-python, which has no build for this platform", 500) from None
    kind = cel.Type
    functions = [
        ("match", [kind.MAP, kind.STRING, kind.STRING], kind.BOOL, True, _match),
        ("canonical", [kind.MAP, kind.STRING], kind.STRING, True, _canonical),
        ("truncate", [kind.STRING, kind.INT], kind.STRING, True, lambda text, length: text[:length]),
        ("decodeb64", [kind.STRING], kind.STRING, True, lambda text: base64.b64decode(text).decode()),
        ("parseJSON", [kind.STRING], kind.DYN, True, lambda text: _doubles(json.loads(text))),
        ("parseURL", [kind.STRING], kind.DYN, True, _url),
        ("marshalJSON", [kind.MAP], kind.STRING, True, lambda value: json.dumps(_plain(value), separators=(",", ":"))),
        ("first", [kind.LIST], kind.DYN, True, lambda value: value[0]),
        ("last", [kind.LIST], kind.DYN, True, lambda value: value[-1]),
        (
            "compareToken",
            [kind.STRING, kind.STRING],
            kind.BOOL,
            True,
            lambda a, b: hmac.compare_digest(a.encode(), b.encode()),
        ),
    ]
    declared = [
        cel.FunctionDecl(
            name,
            [
                cel.Overload(
                    f"pilothouse_{name}", return_type=result, parameters=list(given), is_member=member, impl=work
                )
            ],
        )
        for name, given, result, member, work in functions
    ]
    variables = dict.fromkeys(("body", "header", "extensions", "context"), kind.DYN) | {"requestURL": kind.STRING}
    extensions = [ext_strings.ExtStrings(), ext_math.ExtMath(), ext_encoders.ExtEncoders()]
    return cel.NewEnv(variables=variables, extensions=extensions, functions=declared)


def _match(header: Any, name: str, wanted: str) -> bool:
    return _canonical(header, name) == wanted


def _canonical(header: Any, name: str) -> str:
    found = {str(key).lower(): value for key, value in _plain(header).items()}.get(name.lower(), [""])
    return str(found[0] if isinstance(found, list) else found)


def _url(text: str) -> dict[str, Any]:
    parts = urlsplit(text)
    return {
        "scheme": parts.scheme,
        "host": parts.netloc,
        "path": parts.path,
        "rawQuery": parts.query,
        "fragment": parts.fragment,
    }


def _doubles(value: Any) -> Any:
    """JSON's numbers are doubles to CEL."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, dict):
        return {str(key): _doubles(inner) for key, inner in value.items()}
    return [_doubles(inner) for inner in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if hasattr(value, "plain_value"):
        return _plain(value.plain_value())
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
