"""The built-in forge: bare git repositories in the data directory, served over HTTP, with pull requests beside them.

It is for working without another forge: on one machine, in tests, offline. All that is not git is in the control
plane's database. Rights are checked in `LocalForge`, which acts as one user.
"""

from pilothouse.delivery.forges.local.forge import LocalForge
from pilothouse.delivery.forges.local.house import ADMIN, BOT, House

__all__ = ["ADMIN", "BOT", "House", "LocalForge"]
