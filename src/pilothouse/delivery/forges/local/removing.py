"""Taking repositories and people away, with all that hangs on them."""

from __future__ import annotations

from sqlalchemy import delete, update

from pilothouse.delivery.forges.local.store import Writing
from pilothouse.delivery.forges.local.tables import (
    COLLABORATORS,
    COMMENTS,
    LABELS,
    MEMBERS,
    MILESTONES,
    PROTECTIONS,
    PULLS,
    REFS,
    RELEASES,
    REPOSITORIES,
    STATUSES,
    TOKENS,
    USERS,
)

_OF_A_REPOSITORY = (COLLABORATORS, COMMENTS, LABELS, MILESTONES, PROTECTIONS, PULLS, REFS, RELEASES, STATUSES)


def remove_repository(write: Writing, repository: int) -> None:
    """A repository's rows. Its forks stand by themselves; pull requests from it to others stay without a head."""
    for table in _OF_A_REPOSITORY:
        write(delete(table).where(table.c.repository == repository))
    write(update(PULLS).where(PULLS.c.head_repository == repository).values(head_repository=None))
    write(update(REPOSITORIES).where(REPOSITORIES.c.fork_of == repository).values(fork_of=None))
    write(delete(REPOSITORIES).where(REPOSITORIES.c.id == repository))


def remove_user(write: Writing, key: str) -> None:
    """Somebody's rights and tokens. What was said and done stays under the name."""
    for table in (TOKENS, MEMBERS, COLLABORATORS):
        write(delete(table).where(table.c.login == key))
    write(delete(USERS).where(USERS.c.key == key))
