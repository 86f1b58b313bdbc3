"""The machine that runs what the environments declare, as an operator on Kubernetes would: a process for a version."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.demo.loop.forge import Person
from pilothouse.demo.loop.mesh import MeshFiles
from pilothouse.demo.loop.seeding import CODE, ENVIRONMENTS
from pilothouse.demo.system import Service, System

_LOOK_EVERY = 0.5
_IMAGE = re.compile(r"image: registry\.shop\.example/checkout:(?P<version>\S+)")
# What is over is kept so long: requests that are under way end, and the last telemetry is sent.
_KEPT_SECONDS = 3.0


@dataclass
class Environment:
    """What runs of checkout in one environment, by version."""

    name: str
    declared: str = ""
    running: dict[str, Service] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)


class Machine:
    """Looks at the environments' repository, starts and stops versions of checkout; nothing happens but in `tick`."""

    def __init__(
        self, system: System, ren: Person, mesh: MeshFiles, releases: Path, settings: Mapping[str, str]
    ) -> None:
        self._system, self._ren, self._mesh, self._releases = system, ren, mesh, releases
        self._settings = dict(settings)
        self.staging, self.production = Environment("staging"), Environment("production")
        self._looked = 0.0
        self._idle_since: dict[str, float] = {}

    def begin(self) -> Service:
        """Start what production declares, with all the traffic of the split."""
        version = self._declared("production")
        self.production.declared = self.staging.declared = version
        service = self._started(self.production, version)
        self._system.wait_ready(service.address)
        self.production.ready.add(version)
        self._mesh.begin(version, service.address)
        return service

    def tick(self) -> None:
        """Look, if it is time to."""
        if time.monotonic() < self._looked + _LOOK_EVERY:
            return
        self._looked = time.monotonic()
        for environment in (self.staging, self.production):
            version = self._declared(environment.name)
            environment.declared = version
            if version not in environment.running:
                self._started(environment, version)
            self._take_in(environment)
        self._end_old()

    def runs(self, environment: Environment, version: str) -> bool:
        """Whether a version is ready in an environment."""
        return version in environment.ready

    def _declared(self, environment: str) -> str:
        found = _IMAGE.search(self._ren.file(ENVIRONMENTS, f"{environment}/checkout.yaml"))
        return found["version"] if found else ""

    def _started(self, environment: Environment, version: str) -> Service:
        pricing = self._releases / version / "pricing.py"
        if not pricing.exists():
            pricing.parent.mkdir(parents=True)
            pricing.write_text(self._ren.file(CODE, "pricing.py", f"v{version}"))
        service = self._system.start_service(
            "checkout", version, environment.name, SHOP_PRICING=str(pricing), **self._settings
        )
        environment.running[version] = service
        return service

    def _take_in(self, environment: Environment) -> None:
        """What became ready gets its place."""
        for version, service in environment.running.items():
            if version in environment.ready or not self._system.is_ready(service.address):
                continue
            environment.ready.add(version)
            if environment is self.production:
                self._mesh.add(version, service.address)

    def _end_old(self) -> None:
        """Staging has one version; production those that get traffic or may get it yet."""
        staging, production = self.staging, self.production
        old = [version for version in staging.running if version != staging.declared]
        if staging.declared in staging.ready:
            for version in old:
                self._stop(staging, version)
        for version in [one for one in production.running if one != production.declared]:
            if self._mesh.weight(version) or version not in production.ready:
                self._idle_since.pop(version, None)
            elif time.monotonic() > self._idle_since.setdefault(version, time.monotonic()) + _KEPT_SECONDS:
                self._mesh.remove(version)
                self._stop(production, version)
                del self._idle_since[version]

    def _stop(self, environment: Environment, version: str) -> None:
        environment.ready.discard(version)
        self._system.stop(environment.running.pop(version).child)
