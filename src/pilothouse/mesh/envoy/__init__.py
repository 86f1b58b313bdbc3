"""A mesh of Envoys on one machine: the interface's resources as xDS, served to real proxies.

`local` reads which services and proxies there are, `resources` makes what each proxy gets, `discovery` serves it,
`certificates` gives proxies their SPIFFE identities, `binary` and `running` start Envoy itself.
"""

from pilothouse.mesh.envoy.discovery import DiscoveryServer
from pilothouse.mesh.envoy.local import LocalMesh, LocalMeshError, read_local_mesh
from pilothouse.mesh.envoy.resources import Snapshot, prepare, snapshot

__all__ = ["DiscoveryServer", "LocalMesh", "LocalMeshError", "Snapshot", "prepare", "read_local_mesh", "snapshot"]
