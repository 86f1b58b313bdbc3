"""What can be wrong with an installation, looked at from outside the server: each check says what to do about it."""

from pilothouse.server.doctor.checks import examine
from pilothouse.server.doctor.model import Finding

__all__ = ["Finding", "examine"]
