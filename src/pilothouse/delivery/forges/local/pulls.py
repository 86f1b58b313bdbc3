"""Pull requests as rows, and rows as pull requests."""

from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from pilothouse.delivery.forges.errors import MissingError
from pilothouse.delivery.forges.local.repositories import Kept
from pilothouse.delivery.forges.local.store import Writing
from pilothouse.delivery.forges.local.tables import COMMENTS, PULLS, REFS, REPOSITORIES
from pilothouse.delivery.forges.model import BranchTip, Comment, PullRequest, PullState, Review

# What the column holds; nobody has so many.
_MOST_NUMBER = 2**31 - 1
SETS = ("labels", "assignees", "reviewers")


def rows(connection: Connection, repository: Kept, state: PullState | None) -> list[Row[Any]]:
    """The rows of a repository's pull requests in a state (None: all), newest first."""
    asked = select(PULLS).where(PULLS.c.repository == repository.id).order_by(PULLS.c.number.desc())
    return list(connection.execute(asked.where(PULLS.c.state == state) if state else asked))


def row(connection: Connection, repository: Kept, number: int, for_update: bool = False) -> Row[Any]:
    """One row. Raises `MissingError`."""
    asked = select(PULLS).where(PULLS.c.repository == repository.id, PULLS.c.number == min(number, _MOST_NUMBER))
    found = connection.execute(asked.with_for_update() if for_update else asked).first()
    if not found:
        raise MissingError(f"{repository.full_name} has no pull request #{number}")
    return found


def tip(connection: Connection, repository: int, ref: str) -> str:
    """What a ref was last known to be, or nothing."""
    asked = select(REFS.c.sha).where(REFS.c.repository == repository, REFS.c.ref == ref)
    return connection.execute(asked).scalar() or ""


def shown(connection: Connection, found: Row[Any], url: str = "") -> PullRequest:
    """A row as a pull request."""
    ids = [number for number in (found.repository, found.head_repository) if number is not None]
    asked = select(REPOSITORIES.c.id, REPOSITORIES.c.full_name).where(REPOSITORIES.c.id.in_(ids))
    names = {one.id: one.full_name for one in connection.execute(asked)}
    base = tip(connection, found.repository, f"refs/heads/{found.base_ref}")
    tried = (found.tried_head, found.tried_base) == (found.head_sha, base)
    return PullRequest(
        repository=names[found.repository],
        number=found.number,
        title=found.title,
        author=found.author,
        head=BranchTip(names.get(found.head_repository, ""), found.head_ref, found.head_sha),
        base=BranchTip(names[found.repository], found.base_ref, base),
        body=found.body,
        state=found.state,
        draft=found.draft,
        labels=frozenset(texts(found, "labels")),
        assignees=frozenset(texts(found, "assignees")),
        requested_reviewers=frozenset(texts(found, "reviewers")),
        milestone=found.milestone,
        mergeable=bool(found.tried_merge) if tried and found.state == "open" else None,
        merge_sha=found.merge_sha if found.state == "merged" else "",
        created=found.created,
        updated=found.updated,
        url=f"{url}/{names[found.repository]}/{found.number}" if url else "",
    )


def add(write: Writing, repository: Kept, values: dict[str, Any]) -> int:
    """A new pull request; its number."""
    mine = REPOSITORIES.c.id == repository.id
    write(update(REPOSITORIES).where(mine).values(last_number=REPOSITORIES.c.last_number + 1))
    number: int = write(select(REPOSITORIES.c.last_number).where(mine)).scalar()
    now = time.time()
    nothing = dict.fromkeys(
        ("milestone", "tried_head", "tried_base", "tried_merge", "merged_onto", "merge_sha", "merged_by"), ""
    )
    empty = dict.fromkeys(SETS, "[]")
    whole = nothing | empty | {"state": "open", "created": now, "updated": now} | values
    write(insert(PULLS).values(repository=repository.id, number=number, **whole))
    return number


def change(write: Writing, repository: int, number: int, **values: Any) -> None:
    """Change a pull request."""
    here = (PULLS.c.repository == repository) & (PULLS.c.number == number)
    write(update(PULLS).where(here).values(updated=time.time(), **values))


def texts(found: Row[Any], name: str) -> set[str]:
    """One of its sets of texts."""
    return set(json.loads(getattr(found, name)))


def written(values: set[str]) -> str:
    """A set of texts as it is kept."""
    return json.dumps(sorted(values, key=str.lower), ensure_ascii=False)


def comment(found: Row[Any]) -> Comment:
    """A row as a comment."""
    return Comment(found.author, found.body, found.at, found.is_bot, str(found.id), "", found.path, found.line)


def review(found: Row[Any]) -> Review:
    """A row as a review."""
    return Review(found.author, found.state, found.body, found.at, found.commit, str(found.id))


def discussion(connection: Connection, repository: Kept, number: int, reviews: bool) -> list[Row[Any]]:
    """The rows of comments, or of reviews, oldest first."""
    here = (COMMENTS.c.repository == repository.id) & (COMMENTS.c.number == number)
    kind = COMMENTS.c.state != "" if reviews else COMMENTS.c.state == ""
    return list(connection.execute(select(COMMENTS).where(here, kind).order_by(COMMENTS.c.id)))


def count(connection: Connection, repository: Kept, state: PullState) -> int:
    """How many are in a state."""
    asked = select(func.count()).where(PULLS.c.repository == repository.id, PULLS.c.state == state)
    return connection.execute(asked).scalar() or 0
