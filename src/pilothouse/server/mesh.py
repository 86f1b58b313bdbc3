"""The mesh room in the process: what is configured or watched, the controller, and the API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import Route

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.mesh.controlling import Controller
    from pilothouse.mesh.sourcing import Source
    from pilothouse.server.config import Config


class LiveMesh:
    """The Service Mesh Interface's resources: of the cluster where `mesh` names one, else of `mesh_config`; without
    either the endpoints say how to give them.
    """

    def __init__(self, config: Config, engine: Engine) -> None:
        """Raises `OSError` for a configuration that cannot be."""
        self._engine = engine
        self._source: Source | None = None
        self._controller: Controller | None = None
        if config.mesh:
            if not config.kube:
                raise OSError("mesh: a cluster is needed to compile for: add --kube")
            self._source = self._controller = _controller(config)
        elif config.mesh_config:
            from pilothouse.mesh.sourcing import Files

            self._source = Files(
                Path(config.mesh_config), services=Path(config.mesh_services) if config.mesh_services else None
            )

    def start(self) -> None:
        """Begin to watch and write, where a cluster is to be kept."""
        if self._controller:
            self._controller.start()

    def routes(self) -> list[Route]:
        """The room's endpoints."""
        from pilothouse.mesh import api

        return api.routes(self._engine, self._source)

    def aggregated(self) -> list[Route]:
        """TrafficMetrics, as Kubernetes' API server hands them on."""
        from pilothouse.mesh.measuring import stored
        from pilothouse.mesh.trafficmetrics import api

        return api.routes(stored(self._engine), self._source)

    def close(self) -> None:
        """Stop writing, and let another replica begin."""
        if self._controller:
            self._controller.close()


def _controller(config: Config) -> Controller:
    from pilothouse.kube import Cluster
    from pilothouse.mesh.compiling import Options
    from pilothouse.mesh.controlling import Controller

    return Controller(lambda: Cluster.connect(config.kube_context), config.mesh, Options(config.trust_domain))
