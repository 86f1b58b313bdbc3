"""A service's version in an environment's files: what is declared, and the files with another in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pilothouse.delivery.environments import kustomizing, manifests
from pilothouse.delivery.environments.errors import EditError
from pilothouse.delivery.environments.folders import Folder
from pilothouse.delivery.environments.images import checked_version, without
from pilothouse.delivery.environments.model import Kind, Placement
from pilothouse.delivery.environments.scalars import find, replaced

Found = TypeVar("Found")
_MOST_FILES = 5_000
_KUSTOMIZATIONS = ("kustomization.yml", "Kustomization")


def declared(folder: Folder, placement: Placement) -> str:
    """The version that the files declare; empty when they declare none yet. Raises `EditError`.

    Manifests that use several versions of one image declare none that could be named: that is an `EditError` too.
    """
    found = sorted({without(version, placement.prefix) for version in _versions(folder, placement) if version})
    if len(found) > 1:
        raise EditError(f"{placement.image or placement.key}: has several versions here: {', '.join(found)}")
    return found[0] if found else ""


def changed(folder: Folder, placement: Placement, version: str) -> Mapping[str, str]:
    """The texts of the files that differ with `version`, by path below the folder. Raises `EditError`.

    Nothing differs when it is declared already.
    """
    checked_version(version)
    made = {}
    for path, text in _files(folder, placement):
        new = _named(path, lambda text=text: _changed(text, placement, version))  # type: ignore[misc]
        if new != text:
            made[path] = new
    if not made and declared(folder, placement) != without(version, ""):
        what = placement.image or placement.key
        where = placement.file or "any manifest"
        raise EditError(f"{what}: is not in {where}, so there is no version to change")
    return made


def _versions(folder: Folder, placement: Placement) -> Iterator[str]:
    for path, text in _files(folder, placement):
        yield from _named(path, lambda text=text: list(_read(text, placement)))  # type: ignore[misc]


def _read(text: str, placement: Placement) -> Iterator[str]:
    if placement.kind is Kind.HELM:
        found = find(text, placement.key)
        if found is None:
            raise EditError(f"{placement.key}: there is no such key")
        yield found.value
    elif placement.kind is Kind.KUSTOMIZE:
        yield kustomizing.version(text, placement.image)
    else:
        yield from (image.tag for image in manifests.images(text, placement.image))


def _changed(text: str, placement: Placement, version: str) -> str:
    if placement.kind is Kind.HELM:
        found = find(text, placement.key)
        if found is None:
            raise EditError(f"{placement.key}: there is no such key")
        wanted = placement.prefix + version
        return text if found.value == wanted else replaced(text, [(found, wanted)])
    if placement.kind is Kind.KUSTOMIZE:
        return kustomizing.changed(text, placement.image, version, placement.prefix)
    return manifests.changed(text, placement.image, version, placement.prefix)


def _files(folder: Folder, placement: Placement) -> Iterator[tuple[str, str]]:
    """The files to look at with their texts."""
    if placement.file:
        name = placement.file
        if placement.kind is Kind.KUSTOMIZE and not folder.has(name):
            name = next((other for other in _KUSTOMIZATIONS if folder.has(other)), name)
        yield name, folder.text(name)
        return
    for number, name in enumerate(folder.manifests()):
        if number >= _MOST_FILES:
            raise EditError(f"there are more than {_MOST_FILES} manifests")
        if placement.image in (text := folder.text(name)):
            yield name, text


def _named(path: str, work: Callable[[], Found]) -> Found:
    try:
        return work()
    except EditError as error:
        raise EditError(f"{path}: {error}") from None
