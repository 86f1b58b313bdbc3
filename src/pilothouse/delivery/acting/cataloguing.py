"""Steps that jobs inherit from catalogs (`image: uses:...`): from the job's own forge, an address, or beside them."""

from __future__ import annotations

import asyncio
import posixpath
from dataclasses import replace

from pilothouse.delivery.acting.target import Target
from pilothouse.delivery.forges import ForgeError
from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.triggering import Definition
from pilothouse.delivery.triggering.inheriting import inherited, inherits, parted


def catalogued(definition: Definition, target: Target) -> Definition:
    """The definition with all of its steps. Raises `ResolveError` that names what is not there."""
    documents = (definition.document, *definition.documents)
    if not any(map(inherits, documents)):
        return definition

    def read(place: str) -> str:
        return _text(place.removeprefix("lighthouse:"), definition, target)

    first, *others = (inherited(one, read) for one in documents)
    return replace(definition, document=first, documents=tuple(others))


def _text(place: str, definition: Definition, target: Target) -> str:
    if place.startswith(("https://", "http://")):
        from pilothouse.delivery.pipelines.resolvers.http import get

        return asyncio.run(get(place)).decode("utf-8", "replace")
    repository, path, ref = parted(place)
    if not repository:
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(definition.source), path))
        for one in dict.fromkeys((beside, path)):
            if not one.startswith("..") and (text := target.file(one)) is not None:
                return text
        raise ResolveError(f"uses:{place}: there is no such file in the repository")
    forge = target.forge
    try:
        found = forge.repository(repository)
        # Who may change this repository need not be let into that one.
        if found.private and found.owner != target.occasion.owner:
            raise ResolveError(f"uses:{place}: {repository} is private, and another owner's")
        return forge.read_file(repository, path, ref).decode("utf-8", "replace")
    except ForgeError as error:
        raise ResolveError(f"uses:{place}: on forge {forge.name}: {error}") from None
