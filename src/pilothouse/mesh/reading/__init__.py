"""SMI manifests of all served versions, read strictly: what is not understood is named, never guessed."""

from pilothouse.mesh.reading.configuration import Piece, Reading, put_together, read_objects, read_piece

__all__ = ["Piece", "Reading", "put_together", "read_objects", "read_piece"]
