"""The verdicts that were given."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    Select,
    String,
    Table,
    Text,
    cast,
    func,
    select,
    type_coerce,
)

from pilothouse.releases.comparison import Comparison
from pilothouse.releases.store.tables import metadata, number

_verdicts = Table(
    "verdicts",
    metadata,
    Column("id", number(), primary_key=True, autoincrement=True),
    Column("service", String(255), nullable=False, index=True),
    Column("baseline", String(255), nullable=False),
    Column("candidate", String(255), nullable=False, index=True),
    Column("verdict", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("summary", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("comparison", Text, nullable=False),
)


_SHORT = tuple(column for column in _verdicts.c if column.name != "comparison")


def page_of(page: str, key: int) -> str:
    """Where the page shows a comparison as it was judged then: asked again, its time may look otherwise by now."""
    return f"{page}&verdict={key}"


@dataclass(frozen=True, slots=True)
class KeptVerdict:
    """A verdict as it was given at `at` (nanoseconds since the epoch); `page` shows it as it was given.

    `said` are the parts of the summary, for other languages; None for those given before there were any.
    """

    number: int
    service: str
    baseline: str
    candidate: str
    verdict: str
    confidence: float
    summary: str
    page: str
    at: int
    said: dict[str, Any] | None


class VerdictStore:
    """Keeps every verdict with its whole comparison. May be used from any thread."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def keep(self, comparison: Comparison) -> int:
        """Keep one verdict; returns the number it can be read by."""
        base, other = comparison.sides
        row: dict[str, Any] = {
            "service": comparison.service,
            "baseline": base.version,
            "candidate": other.version,
            "verdict": comparison.verdict,
            "confidence": comparison.confidence,
            "summary": comparison.summary,
            "page": comparison.page,
            "at": time.time_ns(),
            "comparison": json.dumps(comparison.to_json(), allow_nan=False),
        }
        with self._database.begin() as connection:
            kept = connection.execute(_verdicts.insert().values(**row))
        return int(kept.inserted_primary_key[0])  # type: ignore[index]

    def whole(self, key: int) -> dict[str, Any] | None:
        """The comparison behind a verdict, as `/api/compare` answered it; None when there is no such verdict."""
        asked = select(_verdicts.c.comparison).where(_verdicts.c.id == key)
        with self._database.connect() as connection:
            text = connection.execute(asked).scalar()
        return None if text is None else dict(json.loads(text))

    def latest(self, service: str = "") -> dict[tuple[str, str], KeptVerdict]:
        """The last verdict on each (service, version)."""
        last = select(func.max(_verdicts.c.id)).group_by(_verdicts.c.service, _verdicts.c.candidate)
        if service:
            last = last.where(_verdicts.c.service == service)
        with self._database.connect() as connection:
            rows = connection.execute(_short(connection).where(_verdicts.c.id.in_(last))).mappings()
            kept = [_kept(**row) for row in rows]
        return {(one.service, one.candidate): one for one in kept}

    def some(self, keys: Collection[int]) -> dict[int, KeptVerdict]:
        """Verdicts by their numbers; those that are there."""
        with self._database.connect() as connection:
            rows = connection.execute(_short(connection).where(_verdicts.c.id.in_(keys))).mappings()
            return {int(row["id"]): _kept(**row) for row in rows}


def _short(connection: Connection) -> Select[Any]:
    """All but the comparison, of which only the parts of the summary are taken."""
    # SQLite reads text as JSON where it is asked to; PostgreSQL wants to be told that it is.
    lite = connection.dialect.name == "sqlite"
    whole = type_coerce(_verdicts.c.comparison, JSON) if lite else cast(_verdicts.c.comparison, JSON)
    return select(*_SHORT, whole["said"].label("said"))


def _kept(id: int, page: str, **said: Any) -> KeptVerdict:
    return KeptVerdict(number=id, page=page_of(page, id), **said)
