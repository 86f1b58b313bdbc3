"""A version's change in one environment, worked out whole before anything is written: files, rendering, hazards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.delivery.environments.checkouts import checkout
from pilothouse.delivery.environments.errors import EnvironmentsError
from pilothouse.delivery.environments.folders import Directory, Folder, Tree
from pilothouse.delivery.environments.hazardous import Hazards, hazards_of
from pilothouse.delivery.environments.placing import changed, declared

if TYPE_CHECKING:
    from pilothouse.delivery.environments.model import Environment
    from pilothouse.delivery.forges import Forge


@dataclass(frozen=True, slots=True)
class Change:
    """What `version` in the place of `before` means. `files` are new texts by path from the source's root.

    `commit` is what it was worked out on. `difference` is the rendered one, `objects` how many objects differ, `how` by
    what they were rendered, `problems` what could not be.
    """

    service: str
    environment: str
    before: str
    version: str
    files: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    branch: str = ""
    difference: str = ""
    objects: int = 0
    how: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    hazards: Hazards = field(default_factory=Hazards)


def change_of(environment: Environment, service: str, version: str, forge: Forge | None = None) -> Change:
    """Work it out. Raises `EnvironmentsError`, and the forge's errors."""
    # A server starts without what renders and checks (CEL, the cluster's client): only a change needs them.
    from pilothouse.delivery.environments.differing import changed_objects, difference
    from pilothouse.delivery.environments.rendering import render

    placement = environment.placement(service)
    source = environment.source
    with checkout(source, forge) as files:
        folder = files.root / source.folder
        before = declared(Directory(folder), placement)
        new = changed(Directory(folder), placement, version)
        was = render(files.root, environment)
        files.write(source.folder, new)
        becomes = render(files.root, environment)
        prefix = f"{source.folder}/" if source.folder else ""
        return Change(
            service,
            environment.name,
            before,
            version,
            {prefix + name: text for name, text in new.items()},
            files.commit,
            files.branch,
            difference(was.objects, becomes.objects),
            changed_objects(was.objects, becomes.objects),
            tuple(becomes.how),
            tuple(dict.fromkeys(was.problems + becomes.problems)),
            hazards_of(was.objects, becomes.objects),
        )


def deployed(environment: Environment, service: str, forge: Forge | None = None) -> str:
    """The version that the environment declares now; empty when none is. Raises as `change_of`."""
    return declared(folder_of(environment, forge), environment.placement(service))


def all_deployed(environment: Environment, forge: Forge | None = None, commit: str = "") -> dict[str, str | Exception]:
    """For each service the version declared (at `commit`, or now), or why it cannot be told. Raises as `change_of`."""
    folder = folder_of(environment, forge, commit)
    found: dict[str, str | Exception] = {}
    for service, placement in environment.services.items():
        try:
            found[service] = declared(folder, placement)
        except EnvironmentsError as error:
            found[service] = error
    return found


def folder_of(environment: Environment, forge: Forge | None = None, commit: str = "") -> Folder:
    """The environment's files as they are at a commit of its source, or now. Raises `EnvironmentsError`."""
    source = environment.source
    if source.directory:
        return Directory(Path(source.directory) / source.folder)
    if forge is None:
        raise EnvironmentsError(f"{source}: is on a forge, and no forge is configured here")
    branch = source.branch or forge.repository(source.repository).default_branch
    return Tree(forge, source.repository, source.folder, commit or forge.commit(source.repository, branch).sha)
