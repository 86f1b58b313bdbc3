"""An event as interceptors and bindings see it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from pilothouse.delivery.pipelines.errors import PipelineError

_STEP = re.compile(r"(?:\\.|[^.\[\]\\])+|\[(?:[0-9]+|'[^']*'|\"[^\"]*\"|\*)\]")


class TriggerError(PipelineError):
    """An event that is not taken; `status` is the HTTP status it would have."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Event:
    """One HTTP request: `raw` is the body as it came, `body` what it says, headers in lower case."""

    raw: bytes
    headers: dict[str, str]
    url: str = ""
    body: Any = None
    extensions: dict[str, Any] = field(default_factory=dict)
    identity: str = ""

    def header(self, name: str) -> str:
        """A header's value, empty when it is not there."""
        return self.headers.get(name.lower(), "")

    def find(self, path: str) -> Any:
        """What `body.a.b[0]`, `header.X`, `extensions.k` or `context.eventID` names. Raises `KeyError`."""
        steps = _STEP.findall(path)
        if not steps or "".join(steps).replace(".", "") != path.replace(".", ""):
            raise KeyError(path)
        root, rest = steps[0], steps[1:]
        if root == "header":
            return self.header(_name(rest[0])) if rest else self.headers
        if root == "context":
            return {"eventID": self.identity}[rest[0]]
        value: Any = {"body": self.body, "extensions": self.extensions}[root]
        for step in rest:
            value = value[int(step[1:-1])] if re.fullmatch(r"\[[0-9]+\]", step) else value[_name(step)]
        return value


def read(raw: bytes, headers: dict[str, str], url: str = "") -> Event:
    """An event of a request. Raises `TriggerError` for a body that is not JSON."""
    try:
        body = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        if "urlencoded" not in headers.get("content-type", ""):
            raise TriggerError("the body is not JSON") from None
        from urllib.parse import parse_qs

        body = {key: values[0] for key, values in parse_qs(raw.decode("utf-8", "replace")).items()}
    return Event(raw, {name.lower(): value for name, value in headers.items()}, url, body)


def written(value: Any) -> str:
    """A value as a parameter: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _name(step: str) -> str:
    plain = step[1:-1].strip("'\"") if step.startswith("[") else step
    return plain.replace("\\", "")
