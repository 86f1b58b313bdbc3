"""The nouns: an environment, where it is declared, and where a service's version is written in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pilothouse.delivery.environments.errors import EnvironmentsError
from pilothouse.delivery.forges.choosing import parted


class Strategy(StrEnum):
    """How a promotion gets in: merged when green, merged when also approved, or not at all."""

    AUTO = "Auto"
    MANUAL = "Manual"
    NEVER = "Never"


class Kind(StrEnum):
    """How an environment's manifests are written."""

    HELM = "helm"
    KUSTOMIZE = "kustomize"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Source:
    """Where an environment is declared: `folder` (empty: the root) of `repository` (OWNER/NAME on `forge`; empty: the
    only one there is), at `branch` (empty: its default); or a `directory` of this machine.
    """

    repository: str = ""
    branch: str = ""
    folder: str = ""
    directory: str = ""
    forge: str = ""

    def __str__(self) -> str:
        on = f"{self.forge}:" if self.forge else ""
        base = self.directory or on + self.repository + (f"@{self.branch}" if self.branch else "")
        return f"{base}/{self.folder}" if self.folder else base


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a service's version is written, below the environment's folder.

    Helm: the value at `key` of `file`. Kustomize: the tag of `image` among the images of `file`. Plain: the tag of
    `image` in every manifest. An `image` without a slash means any repository of that name. `prefix` stands before the
    version there (`v`). `chart` is the Helm chart that the values are for, from the folder (`../charts/shop`).
    `releases_from` is the repository (`OWNER/NAME`, or `FORGE:OWNER/NAME`) whose releases of the service are taken.
    """

    kind: Kind
    file: str = ""
    key: str = ""
    image: str = ""
    prefix: str = ""
    chart: str = ""
    releases_from: str = ""


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment. `telemetry` is its `deployment.environment.name`; `rollout` the plan by which a new version
    takes over its traffic (`docs/reference/rollouts.md`); `cluster` the kubeconfig's context and `namespace` where it
    runs, when there is one. `checks` are the statuses that must be there and successful before anything is merged.
    """

    name: str
    strategy: Strategy
    source: Source
    kind: Kind = Kind.PLAIN
    services: Mapping[str, Placement] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    telemetry: str = ""
    rollout: Mapping[str, Any] | None = None
    cluster: str = ""
    namespace: str = ""

    def placement(self, service: str) -> Placement:
        """Where the service's version is written. Raises `EnvironmentsError` when it is not deployed here."""
        found = self.services.get(service)
        if found is None:
            known = ", ".join(sorted(self.services)) or "none"
            raise EnvironmentsError(f"{self.name}: has no service {service!r}; it has {known}")
        return found


@dataclass(frozen=True, slots=True)
class Environments:
    """All environments, in the order in which a version goes through them."""

    all: tuple[Environment, ...] = ()

    def named(self, name: str) -> Environment:
        """The environment of that name. Raises `EnvironmentsError`."""
        for one in self.all:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.all) or "none"
        raise EnvironmentsError(f"there is no environment {name!r}; there are {known}")

    def of(self, service: str) -> list[Environment]:
        """Those that the service is deployed to."""
        return [one for one in self.all if service in one.services]

    def why_not_from(self, repository: str, service: str, forge: str = "") -> str:
        """Why the releases of a service by a repository of a forge are not taken; nothing when they are.

        Whoever may push to any repository of a forge could otherwise release as any service. Taken are those of the
        repository that the first environment names with `from`; else of the same owner as its own repository. A
        repository of that name on another forge is another's, unless `from` names the forge.
        """
        first = self.first(service)
        if first is None:
            return ""
        whose, named = parted(first.services[service].releases_from)
        whose = whose or first.source.forge
        same_forge = not whose or not forge or whose == forge
        if named:
            place = f"{whose}:{named}" if whose else named
            return "" if named == repository and same_forge else f"{first.name} takes {service} from {place}"
        owner = first.source.repository.rpartition("/")[0]
        if owner and owner == repository.rpartition("/")[0] and same_forge:
            return ""
        return f"{first.name} does not take {service} from {repository}; its service would say `from: {repository}`"

    def first(self, service: str) -> Environment | None:
        """Where a new release goes first: environments that never take a promotion are passed over."""
        return next((one for one in self.of(service) if one.strategy is not Strategy.NEVER), None)

    def after(self, name: str, service: str) -> Environment | None:
        """Where a version goes once it runs in the named environment."""
        here = self.named(name)
        later = self.all[self.all.index(here) + 1 :]
        return next((one for one in later if service in one.services and one.strategy is not Strategy.NEVER), None)
