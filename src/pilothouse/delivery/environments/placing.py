"""A service's version in an environment's files: what is declared, and the files with another in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pilothouse.delivery.environments import kustomizing, manifests
from pilothouse.delivery.environments.errors import EditError
from pilothouse.delivery.environments.images import checked_version, without
from pilothouse.delivery.environments.model import Kind, Placement
from pilothouse.delivery.environments.scalars import find, replaced

if TYPE_CHECKING:
    from pilothouse.delivery.environments.model import Environment

_LARGEST = 2_000_000
Found = TypeVar("Found")
_MOST_FILES = 5_000


def declared(folder: Path, placement: Placement) -> str:
    """The version that the files declare; empty when they declare none yet. Raises `EditError`.

    Manifests that use several versions of one image declare none that could be named: that is an `EditError` too.
    """
    found = sorted({without(version, placement.prefix) for version in _versions(folder, placement) if version})
    if len(found) > 1:
        raise EditError(f"{placement.image or placement.key}: has several versions here: {', '.join(found)}")
    return found[0] if found else ""


def changed(folder: Path, placement: Placement, version: str) -> Mapping[str, str]:
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


def declared_in(root: Path, environment: Environment, service: str) -> str:
    """The version of a service in a checkout of the environment's source. Raises `EnvironmentsError`."""
    return declared(root / environment.source.folder, environment.placement(service))


def _versions(folder: Path, placement: Placement) -> Iterator[str]:
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


def _files(folder: Path, placement: Placement) -> Iterator[tuple[str, str]]:
    """The files to look at with their texts."""
    if placement.file:
        if placement.kind is Kind.KUSTOMIZE and not (folder / placement.file).is_file():
            for name in ("kustomization.yml", "Kustomization"):
                if (folder / name).is_file():
                    yield name, _text(folder, name)
                    return
        yield placement.file, _text(folder, placement.file)
        return
    from pilothouse.kube.sources import files_of

    if not folder.is_dir():
        raise EditError(f"{folder.name}: there is no such folder")
    for number, path in enumerate(files_of(folder)):
        if number >= _MOST_FILES:
            raise EditError(f"{folder.name}: has more than {_MOST_FILES} manifests")
        name = str(path.relative_to(folder))
        if path.suffix.lower() != ".json" and placement.image in (text := _text(folder, name)):
            yield name, text


def _text(folder: Path, name: str) -> str:
    path = folder / name
    try:
        if path.stat().st_size > _LARGEST:
            raise EditError(f"{name}: is larger than {_LARGEST:,} bytes")
        # Line ends stay as they are.
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except OSError as error:
        raise EditError(f"{name}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise EditError(f"{name}: is not UTF-8") from None


def _named(path: str, work: Callable[[], Found]) -> Found:
    try:
        return work()
    except EditError as error:
        raise EditError(f"{path}: {error}") from None
