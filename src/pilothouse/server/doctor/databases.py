"""The control plane's database, where it is a server's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pilothouse.server.doctor.model import Finding, failed, ok

if TYPE_CHECKING:
    from pilothouse.server.config import Config

_CHECK = "control plane"


def examine(config: Config) -> Iterator[Finding]:
    """Each tenant's, asked for its form, and left as it is."""
    if not config.database or config.database.startswith("sqlite"):
        return
    from pilothouse.server.access.callers import DEFAULT_TENANT
    from pilothouse.server.config import control_database

    for tenant in (DEFAULT_TENANT, *config.tenants):
        yield _database(control_database(config, tenant))


def _database(url: str) -> Finding:
    from sqlalchemy.exc import SQLAlchemyError

    from pilothouse.control.migrations import NEWEST
    from pilothouse.control.opening import look, reason
    from pilothouse.server.config import shown

    try:
        form = look(url)
    except (SQLAlchemyError, OSError) as error:
        remedy = "see that the server runs, that `database` says where, and that this user may use it"
        return failed(_CHECK, f"{shown(url)}: {reason(error)}", remedy)
    if form > NEWEST:
        said = f"{shown(url)} has form {form}, of a newer Pilothouse; this one knows {NEWEST}"
        return failed(_CHECK, said, "install the newer one again, or restore a backup from before it")
    coming = "" if form == NEWEST else f"; the next start brings it to {NEWEST}"
    return ok(_CHECK, f"{shown(url)} answers and has form {form}{coming}")
