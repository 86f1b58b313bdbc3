"""Tasks, Pipelines and StepActions by reference: by name from the catalog, or by a resolver from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pilothouse.delivery.pipelines import checking, parameters
from pilothouse.delivery.pipelines.catalog import Catalog
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.errors import InvalidError, ResolveError

_REASONS = {"Task": "CouldntGetTask", "Pipeline": "CouldntGetPipeline", "StepAction": "CouldntGetStepAction"}


@dataclass(frozen=True, slots=True)
class Found:
    """A referenced object: its spec, name, annotations, and where it came from (Tekton's `refSource`)."""

    spec: dict[str, Any]
    name: str
    annotations: dict[str, str] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)


Resolver = Callable[[str, dict[str, Any]], Awaitable[tuple[Document, dict[str, Any]]]]


class References:
    """Finds what runs refer to. `resolvers` are by name; each gets the kind and its parameters."""

    def __init__(self, catalog: Catalog, resolvers: Mapping[str, Resolver] | None = None) -> None:
        self.catalog = catalog
        self._resolvers = resolvers or {}
        self._cache: dict[str, Found] = {}

    async def task(self, ref: dict[str, Any]) -> Found:
        """A Task. Raises `ResolveError` or `InvalidError`."""
        return await self._find("Task", ref)

    async def pipeline(self, ref: dict[str, Any]) -> Found:
        """A Pipeline."""
        return await self._find("Pipeline", ref)

    async def action(self, ref: dict[str, Any]) -> dict[str, Any]:
        """The spec of a StepAction."""
        return (await self._find("StepAction", ref)).spec

    async def _find(self, kind: str, ref: dict[str, Any]) -> Found:
        name = str(ref.get("name") or "")
        if ref.get("resolver"):
            return await self._resolved(kind, ref)
        body = self.catalog.find(kind, name)
        if body is None:
            known = ", ".join(self.catalog.names(kind)) or "none"
            raise ResolveError(f"{kind} {name!r} is in none of the files; there are: {known}", _REASONS[kind])
        return Found(body.get("spec") or {}, name, (body.get("metadata") or {}).get("annotations") or {})

    async def _resolved(self, kind: str, ref: dict[str, Any]) -> Found:
        key = f"{kind} {ref}"
        if key in self._cache:
            return self._cache[key]
        name = ref["resolver"]
        resolver = self._resolvers.get(name)
        if resolver is None:
            raise ResolveError(
                f"no resolver {name!r} here; there are: {', '.join(self._resolvers) or 'none'}", _REASONS[kind]
            )
        document, source = await resolver(kind, dict(parameters.given(ref.get("params") or [])))
        if document.kind != kind:
            raise ResolveError(f"the {name} resolver found {document.title}, not a {kind}", _REASONS[kind])
        try:
            checking.require([document])
        except InvalidError as error:
            raise ResolveError(str(error), _REASONS[kind]) from None
        meta = document.body.get("metadata") or {}
        found = Found(document.body["spec"], document.name, meta.get("annotations") or {}, source)
        self._cache[key] = found
        return found
