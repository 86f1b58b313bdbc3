"""SMI resources of a cluster kept compiled: watched, applied as the mesh's objects, pruned, and told about.

`watching` holds what the cluster has, `leading` decides who writes, `planning` what is to be written, `conditions` what
is said on the resources, and `Controller` does it.
"""

from pilothouse.mesh.controlling.controller import Controller

__all__ = ["Controller"]
