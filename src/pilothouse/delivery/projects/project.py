"""The nouns of `.pilothouse.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FILE = ".pilothouse.yaml"


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """Whether merges to the default branch make releases, and what stands before the version in their tags.

    `after` are the statuses that the merge commit must have, successful, before it is released.
    """

    automatic: bool = True
    prefix: str = "v"
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PreviewPlan:
    """How a pull request is tried out: `command` (a shell's) listens on 127.0.0.1 at the port that the environment
    variable `port` names, and is ready once `ready` (a path) answers. `setup` is run before, once.
    Times are in seconds: `start` is how long it may take to be ready, `life` how long it is kept. Limits: `memory` in
    bytes, `processors`, `processes`. On Kubernetes the `manifests` of a folder are applied to a namespace of its own,
    with `image` (what the pipeline has built; `{commit}` stands for the commit) in the place of theirs, and `service`
    is the Service that is shown.
    """

    command: str
    port: str = "PORT"
    ready: str = "/"
    setup: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    start: float = 60.0
    life: float = 86_400.0
    memory: int = 512 << 20
    processors: float = 1.0
    processes: int = 256
    manifests: str = ""
    service: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """A repository's own words; `service` is its `service.name`."""

    service: str
    release: ReleasePlan = ReleasePlan()
    preview: PreviewPlan | None = None
