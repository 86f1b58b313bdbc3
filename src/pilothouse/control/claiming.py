"""One of several processes on a control plane does what must not be done twice; another takes over when it ends.

The claim is a lease in the database: it is renewed while its holder works, and ends by itself. A holder of this machine
that is not there any more is not waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Column, Connection, Engine, Float, MetaData, String, Table, exc, or_, select

from pilothouse.control.owning import alive, me

_CLAIMS = Table(
    "delivery_claims",
    MetaData(),
    Column("name", String(63), primary_key=True),
    Column("owner", String(255), nullable=False),
    Column("until", Float, nullable=False),
)
_SECONDS = 30.0


@dataclass(slots=True)
class Claim:
    """The right to do `name`, for `owner` (empty: this process). The clocks of the machines must agree within a few
    seconds. What is done under it must be safe to do once more: a process that was held up may not have noticed.
    """

    database: Engine
    name: str
    owner: str = ""
    seconds: float = _SECONDS
    clock: Callable[[], float] = time.time
    # How often it came to be ours otherwise than by being renewed in time: what was known under an earlier term is old.
    terms: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.owner = self.owner or me()

    def held(self) -> bool:
        """Whether it is ours now; takes or renews it where that can be. Raises SQLAlchemy's errors."""
        now = self.clock()
        if now < self._until - self.seconds * 2 / 3:
            return True
        until = now + self.seconds
        taken = self._taken(now, until) or (self._gone() and self._taken(now, until))
        self.terms += taken and now > self._until
        self._until = until if taken else 0.0
        return taken

    def let_go(self) -> None:
        """Let another process have it at once."""
        mine = (_CLAIMS.c.name == self.name) & (_CLAIMS.c.owner == self.owner)
        self._until = 0.0
        with suppress(exc.SQLAlchemyError), self.database.begin() as connection:
            connection.execute(_CLAIMS.delete().where(mine))

    def _taken(self, now: float, until: float) -> bool:
        free = or_(_CLAIMS.c.owner == self.owner, _CLAIMS.c.until < now)
        row = {"owner": self.owner, "until": until}
        with self.database.begin() as connection:
            if connection.execute(_CLAIMS.update().where(_CLAIMS.c.name == self.name, free).values(**row)).rowcount:
                return True
            if connection.execute(select(_CLAIMS.c.name).where(_CLAIMS.c.name == self.name)).first():
                return False
        try:
            with self.database.begin() as connection:
                connection.execute(_CLAIMS.insert().values(name=self.name, **row))
        except exc.IntegrityError:
            return False
        return True

    def guards(self, connection: Connection) -> bool:
        """Whether it is ours, for what is written in this transaction; nobody takes it before that is over."""
        asked = select(_CLAIMS.c.owner).where(_CLAIMS.c.name == self.name).with_for_update(read=True)
        return connection.execute(asked).scalar() == self.owner

    def _gone(self) -> bool:
        """Whether the holder was a process of this machine that has ended; its claim is taken away then."""
        with self.database.connect() as connection:
            holder = connection.execute(select(_CLAIMS.c.owner).where(_CLAIMS.c.name == self.name)).scalar()
        if holder is None or holder.count(":") < 2 or alive(holder) is not False:
            return holder is None
        with self.database.begin() as connection:
            connection.execute(_CLAIMS.delete().where(_CLAIMS.c.name == self.name, _CLAIMS.c.owner == holder))
        return True


def ended(database: Engine, name: str, owner: str, grace: float = _SECONDS) -> bool:
    """Whether a process that holds the claim `name` while it works is not there any more.

    One of this machine is looked for; of one of another machine the claim has run out `grace` seconds ago.
    """
    there = alive(owner) if owner.count(":") >= 2 else None
    if there is not None:
        return not there
    with database.connect() as connection:
        row = connection.execute(select(_CLAIMS.c.owner, _CLAIMS.c.until).where(_CLAIMS.c.name == name)).first()
    return row is None or row.owner != owner or bool(row.until < time.time() - grace)
