"""Who may approve what: OWNERS files, read from the base branch, as Prow reads them."""

from pilothouse.delivery.owners.files import OwnersError, OwnersFile, read_aliases, read_owners
from pilothouse.delivery.owners.tree import OwnersTree

__all__ = ["OwnersError", "OwnersFile", "OwnersTree", "read_aliases", "read_owners"]
