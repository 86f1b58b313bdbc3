"""Tasks, Pipelines and StepActions from elsewhere: git, HTTP, Artifact Hub, bundles, a cluster.

Source: Tekton's `docs/{git,http,hub,bundle,cluster}-resolver.md`. Each resolver gets the kind that is wanted and its
parameters, and gives the document and its `refSource`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pilothouse.delivery.pipelines.documents import Document, read_text
from pilothouse.delivery.pipelines.errors import DocumentError, PipelineError, ResolveError

Resolver = Callable[[str, dict[str, Any]], Awaitable[tuple[Document, dict[str, Any]]]]
_LIMIT = 60.0


def standard() -> dict[str, Resolver]:
    """All resolvers that are built in, each bounded to a minute as in Tekton."""
    from pilothouse.delivery.pipelines.resolvers import bundles, cluster, git, http, hub

    found: dict[str, Resolver] = {
        "git": git.resolve,
        "http": http.resolve,
        "hub": hub.resolve,
        "bundles": bundles.resolve,
        "cluster": cluster.resolve,
    }
    return {name: _bounded(name, resolver) for name, resolver in found.items()}


def needed(params: dict[str, Any], *names: str) -> list[str]:
    """Parameters that must be there. Raises `ResolveError`."""
    lacking = [name for name in names if not params.get(name)]
    if lacking:
        raise ResolveError(f"missing required resolver params: {', '.join(lacking)}")
    return [str(params[name]) for name in names]


def only(kind: str, text: str, source: str, name: str = "") -> Document:
    """The one object of a kind in a text, or the one with a name. Raises `ResolveError`."""
    try:
        found = [one for one in read_text(text, source) if one.kind == kind and name in ("", one.name)]
    except DocumentError as error:
        raise ResolveError(str(error)) from None
    if not found:
        raise ResolveError(f"{source}: there is no {kind}{f' {name!r}' if name else ''} in it")
    return found[0]


def _bounded(name: str, resolver: Resolver) -> Resolver:
    async def resolve(kind: str, params: dict[str, Any]) -> tuple[Document, dict[str, Any]]:
        try:
            async with asyncio.timeout(_LIMIT):
                return await resolver(kind, params)
        except TimeoutError:
            raise ResolveError(f"the {name} resolver did not answer within a minute") from None
        except ResolveError as error:
            raise ResolveError(f"the {name} resolver: {error}", error.reason) from None
        except PipelineError as error:
            raise ResolveError(f"the {name} resolver: {error}") from None

    return resolve
