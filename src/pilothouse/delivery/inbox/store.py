"""What is done to the table of events. Each function is one piece of work on an open transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    delete,
    exc,
    exists,
    func,
    literal_column,
    select,
    update,
)

from pilothouse.delivery.inbox.record import Arrival, Kept, State
from pilothouse.delivery.inbox.tables import EVENTS

_KEPT = [column for column in EVENTS.c if column.name != "digest"]
# Candidates are looked at in so many rows, so that one lane that another process just took does not hide the next.
_LOOKED_AT = 20


def put(connection: Connection, arrival: Arrival, now: float, state: State = "waiting", reason: str = "") -> bool:
    """Keep one. False, and nothing kept, when its id or its very bytes were seen before."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as inserting
    else:
        from sqlalchemy.dialects.sqlite import insert as inserting  # type: ignore[assignment]
    finished = 0.0 if state == "waiting" else now
    row = {
        "forge": arrival.forge, "delivery": arrival.delivery, "digest": arrival.digest, "lane": arrival.lane,
        "repository": arrival.repository, "number": arrival.number, "kind": arrival.kind, "state": state,
        "attempts": 0, "due": now, "owner": "", "received": now, "finished": finished, "reason": reason,
        "content": arrival.content,
    }  # fmt: skip
    return connection.execute(inserting(EVENTS).values(**row).on_conflict_do_nothing()).rowcount == 1


def take(connection: Connection, owner: str, now: float, until: float, attempts: int) -> Kept | None:
    """The first event that may be worked on: of each lane only the oldest open one, and only when it is due.

    One that was taken `attempts` times by processes that did not live to end it is set aside instead.
    """
    for row in connection.execute(_candidates(now)):
        if row.state == "taken" and row.attempts >= attempts:
            reason = f"{row.attempts} attempts were begun and none was ended; the process ended, or hung"
            connection.execute(_as_it_was(row).values(state="aside", finished=now, reason=reason, owner=""))
            continue
        taking = _as_it_was(row).values(state="taken", owner=owner, due=until, attempts=row.attempts + 1)
        try:
            with connection.begin_nested():
                taken = connection.execute(taking).rowcount == 1
        except exc.IntegrityError:
            # Another process took another event of this lane.
            continue
        if taken:
            return one(connection, row.id)
    return None


def has_due(connection: Connection, now: float) -> bool:
    """Whether there is something to take: a look that holds up no writer."""
    return connection.execute(_first_of_lanes(EVENTS.c.id).where(EVENTS.c.due <= now).limit(1)).first() is not None


def next_due(connection: Connection) -> float | None:
    """When the next open event may be worked on; None when there is none."""
    return connection.execute(_first_of_lanes(func.min(EVENTS.c.due))).scalar()


def renew(connection: Connection, key: int, owner: str, until: float) -> bool:
    """Hold a lease longer. False when it was lost."""
    return connection.execute(_held(key, owner).values(due=until)).rowcount == 1


def done(connection: Connection, key: int, owner: str, now: float) -> bool:
    """It is worked off. False when the lease was lost meanwhile."""
    ended = _held(key, owner).values(state="done", finished=now, owner="", reason="")
    return connection.execute(ended).rowcount == 1


def again(connection: Connection, key: int, owner: str, due: float, reason: str) -> bool:
    """It failed, and is tried again when due; its lane waits for it."""
    return connection.execute(_held(key, owner).values(state="waiting", due=due, owner="", reason=reason)).rowcount == 1


def aside(connection: Connection, key: int, owner: str, now: float, reason: str) -> bool:
    """It failed for good: its lane goes on without it."""
    ended = _held(key, owner).values(state="aside", finished=now, owner="", reason=reason)
    return connection.execute(ended).rowcount == 1


def give_back(connection: Connection, key: int, owner: str, now: float) -> bool:
    """It was not tried after all."""
    as_before = _held(key, owner).values(state="waiting", due=now, owner="", attempts=EVENTS.c.attempts - 1)
    return connection.execute(as_before).rowcount == 1


def retry(connection: Connection, key: int, now: float) -> bool:
    """Somebody asks for one that was set aside to be tried again."""
    wanted = update(EVENTS).where(EVENTS.c.id == key, EVENTS.c.state == "aside", EVENTS.c.content != "")
    return connection.execute(wanted.values(state="waiting", due=now, attempts=0, finished=0.0)).rowcount == 1


def forget(connection: Connection, contents_before: float, ids_before: float) -> int:
    """Drop what is past its time: first what events said, much later that they were seen. Never one that is open."""
    over = ~_open(EVENTS)
    emptied = update(EVENTS).where(over, EVENTS.c.received < contents_before, EVENTS.c.content != "")
    gone = connection.execute(emptied.values(content="")).rowcount
    connection.execute(delete(EVENTS).where(over, EVENTS.c.received < ids_before))
    return gone


def one(connection: Connection, key: int) -> Kept | None:
    """An event, or None."""
    row = connection.execute(select(*_KEPT).where(EVENTS.c.id == key)).one_or_none()
    return Kept(**row._mapping) if row is not None else None


def listed(
    connection: Connection,
    repository: str = "",
    number: int = 0,
    state: str = "",
    since: float = 0.0,
    after: int = 0,
    limit: int = 100,
    newest: bool = True,
) -> list[Kept]:
    """Events, newest first or, for replaying them, in the order in which they came and after one of them."""
    wanted: list[ColumnElement[bool]] = [EVENTS.c.id > after]
    if repository:
        wanted.append(EVENTS.c.repository == repository)
    if number:
        wanted.append(EVENTS.c.number == number)
    if state:
        wanted.append(EVENTS.c.state == state)
    if since:
        wanted.append(EVENTS.c.received >= since)
    order = EVENTS.c.id.desc() if newest else EVENTS.c.id
    asked = select(*_KEPT).where(*wanted).order_by(order).limit(limit)
    return [Kept(**row._mapping) for row in connection.execute(asked)]


def counts(connection: Connection) -> dict[str, int]:
    """How many events there are, by state."""
    asked = select(EVENTS.c.state, func.count()).group_by(EVENTS.c.state)
    return {str(state): int(count) for state, count in connection.execute(asked)}


def _candidates(now: float) -> Any:
    asked = _first_of_lanes(EVENTS.c.id, EVENTS.c.state, EVENTS.c.owner, EVENTS.c.attempts).where(EVENTS.c.due <= now)
    return asked.order_by(EVENTS.c.id).limit(_LOOKED_AT).with_for_update(skip_locked=True, of=EVENTS)


def _first_of_lanes(*columns: Any) -> Any:
    earlier = EVENTS.alias("earlier")
    waits = exists().where(earlier.c.lane == EVENTS.c.lane, earlier.c.id < EVENTS.c.id, _open(earlier))
    return select(*columns).where(_open(EVENTS), ~waits)


def _open(table: FromClause) -> ColumnElement[bool]:
    # Literals, not bound values: only so can a database see that the partial indexes fit.
    return table.c.state.in_([literal_column("'waiting'"), literal_column("'taken'")])


def _as_it_was(row: Row[Any]) -> Any:
    return update(EVENTS).where(EVENTS.c.id == row.id, EVENTS.c.state == row.state, EVENTS.c.owner == row.owner)


def _held(key: int, owner: str) -> Any:
    return update(EVENTS).where(EVENTS.c.id == key, EVENTS.c.state == "taken", EVENTS.c.owner == owner)
