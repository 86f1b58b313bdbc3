"""The interface's resources as the objects of a mesh, with an account of what that mesh cannot express."""

from pilothouse.mesh.compiling.compiled import Compiled, Options
from pilothouse.mesh.compiling.targets import TARGETS, compile_to

__all__ = ["TARGETS", "Compiled", "Options", "compile_to"]
