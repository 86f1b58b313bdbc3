"""SMI manifests of all served versions, read strictly: what is not understood is named, never guessed."""

from pilothouse.mesh.reading.configuration import Reading, read_objects

__all__ = ["Reading", "read_objects"]
