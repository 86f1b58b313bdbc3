"""Tasks and Pipelines from elsewhere that a run's annotations name: the hub, an address, a file of the repository.

Source: the guide "Resolver" of Pipelines-as-Code. `git-clone` is the newest of the hub, `git-clone:0.9` a version,
`https://...` an address, anything with a slash a path in the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.resolvers import Resolver, only
from pilothouse.delivery.triggering.definition import Definition


async def remote(
    definition: Definition, resolvers: Mapping[str, Resolver], file: Callable[[str], str | None]
) -> tuple[Document, ...]:
    """The objects; `file` reads a file of the repository at the definition's commit. Raises `ResolveError`."""
    if definition.conditions is None:
        return ()
    wanted = [("Task", name) for name in definition.conditions.tasks]
    wanted += [("Pipeline", name) for name in (definition.conditions.pipeline,) if name]
    return tuple([await _one(kind, name, resolvers, file) for kind, name in wanted])


async def _one(kind: str, name: str, resolvers: Mapping[str, Resolver], file: Callable[[str], str | None]) -> Document:
    if name.startswith(("https://", "http://")):
        return await _by(resolvers, "http", kind, {"url": name})
    if "/" in name:
        text = file(name.removeprefix("./"))
        if text is None:
            raise ResolveError(f"{kind} {name}: there is no such file in the repository")
        return only(kind, text, name)
    plain, _, version = name.partition(":")
    return await _by(resolvers, "hub", kind, {"name": plain, "version": version or ">= 0.0.0", "kind": kind.lower()})


async def _by(resolvers: Mapping[str, Resolver], by: str, kind: str, params: dict[str, Any]) -> Document:
    if by not in resolvers:
        raise ResolveError(f"{kind} {params}: no resolver {by!r} here")
    document, _ = await resolvers[by](kind, params)
    return document
