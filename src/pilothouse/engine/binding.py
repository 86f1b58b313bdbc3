"""Parameters as ClickHouse reads them: in its Escaped (TSV) text form."""

from collections.abc import Mapping

from pilothouse.engine.model import Parameter

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f"})
_QUOTES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"})


def bind(parameters: Mapping[str, Parameter] | None) -> dict[str, str]:
    """Text for each parameter; an array's elements are quoted, and not escaped a second time."""
    return {name: _text(value) for name, value in (parameters or {}).items()}


def quote(text: str) -> str:
    """A string literal in SQL, for the places that take no parameter (a path, a token)."""
    return "'" + text.translate(_QUOTES) + "'"


def identifier(name: str) -> str:
    """A database's or table's name in SQL, whatever is in it."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _text(value: Parameter) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        inner = ",".join(quote(item) if isinstance(item, str) else str(item) for item in value)
        return f"[{inner}]"
    return str(value).translate(_ESCAPES)
