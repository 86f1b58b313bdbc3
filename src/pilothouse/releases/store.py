"""The verdicts that were given, kept in the control plane's database (SQLite by default, PostgreSQL by URL)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, String, Table, Text, create_engine, func, select

from pilothouse.releases.comparison import Comparison

_tables = MetaData()
_verdicts = Table(
    "verdicts",
    _tables,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
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


@dataclass(frozen=True, slots=True)
class KeptVerdict:
    """A verdict as it was given at `at` (nanoseconds since the epoch)."""

    service: str
    baseline: str
    candidate: str
    verdict: str
    confidence: float
    summary: str
    page: str
    at: int


class VerdictStore:
    """Keeps every verdict with its whole comparison. May be used from any thread."""

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy writes it: `sqlite:///path/control.db`, `postgresql+psycopg://host/database`."""
        self._engine = create_engine(url)
        _tables.create_all(self._engine)

    def keep(self, comparison: Comparison) -> None:
        """Keep one verdict."""
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
        with self._engine.begin() as connection:
            connection.execute(_verdicts.insert().values(**row))

    def latest(self, service: str = "") -> dict[tuple[str, str], KeptVerdict]:
        """The last verdict on each (service, version)."""
        last = select(func.max(_verdicts.c.id)).group_by(_verdicts.c.service, _verdicts.c.candidate)
        if service:
            last = last.where(_verdicts.c.service == service)
        columns = [column for column in _verdicts.c if column.name not in ("id", "comparison")]
        with self._engine.connect() as connection:
            rows = connection.execute(select(*columns).where(_verdicts.c.id.in_(last))).mappings()
            kept = [KeptVerdict(**row) for row in rows]
        return {(one.service, one.candidate): one for one in kept}

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
