"""The mesh room in the process: what is configured, and its API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import Route

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.mesh.sourcing import Source
    from pilothouse.server.config import Config


class LiveMesh:
    """The Service Mesh Interface's resources of `mesh_config`; without it the endpoints say how to give them."""

    def __init__(self, config: Config, engine: Engine) -> None:
        self._config, self._engine = config, engine
        self._source: Source | None = None
        if config.mesh_config:
            from pilothouse.mesh.sourcing import Files

            self._source = Files(Path(config.mesh_config))

    def routes(self) -> list[Route]:
        """The room's endpoints."""
        from pilothouse.mesh import api

        return api.routes(self._engine, self._source)
