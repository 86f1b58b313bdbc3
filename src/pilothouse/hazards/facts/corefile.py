"""A Corefile as an object, so that rules can speak about it (https://coredns.io/manual/configuration/).

Environment variables, imports and snippets stay as they are written.
"""

from __future__ import annotations

from typing import Any


def corefile(text: str) -> dict[str, Any]:
    """`servers`: zones, and plugins with arguments and options; `ok` is false for unbalanced braces."""
    servers: list[dict[str, Any]] = []
    server: dict[str, Any] | None = None
    plugin: dict[str, Any] | None = None
    for number, raw in enumerate(text.splitlines()):
        words = raw.partition("#")[0].split()
        if not words:
            continue
        opens = words[-1] == "{"
        words = words[:-1] if opens else words
        if words == ["}"]:
            if plugin is not None:
                plugin = None
            else:
                server = None
        elif server is None:
            server = {"zones": [word.strip(",") for word in words], "plugins": [], "line": float(number)}
            servers.append(server)
        elif plugin is not None:
            plugin["options"].setdefault(words[0], " ".join(words[1:]))
        else:
            made = {"name": words[0], "args": words[1:], "options": {}, "line": float(number)}
            server["plugins"].append(made)
            plugin = made if opens else None
    return {"servers": servers, "ok": server is None and plugin is None}
