"""Findings over time: when each was first and last seen, how its state changed, when it went."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text, select, update
from sqlalchemy.engine import RowMapping

from pilothouse.control.opening import open_database
from pilothouse.hazards.model import Finding, Severity

_tables = MetaData()
_findings = Table(
    "hazard_findings",
    _tables,
    Column("fingerprint", String(16), primary_key=True),
    Column("cluster", String(255), primary_key=True),
    Column("rule", String(64), nullable=False, index=True),
    Column("family", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("container", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("history", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("resolved", BigInteger, nullable=True, index=True),
)
_MOST_CHANGES = 50


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """A finding with its life: times in nanoseconds since the epoch, `resolved` 0 while it is there.

    `history` are the changes of its state, oldest first: (time, state).
    """

    cluster: str
    fingerprint: str
    rule: str
    family: str
    title: str
    subject: dict[str, str]
    state: str
    severity: str
    message: str
    evidence: list[str]
    history: list[tuple[int, str]]
    first_seen: int
    last_seen: int
    resolved: int


class FindingStore:
    """Keeps the findings of watched clusters. May be used from any thread."""

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy writes it."""
        self._engine = open_database(url)

    def keep(self, cluster: str, findings: Iterable[Finding], at: int = 0) -> None:
        """What a check found, all of it: new ones begin, those not among them are resolved."""
        now = at or time.time_ns()
        there = {one.fingerprint: one for one in findings}
        with self._engine.begin() as connection:
            rows = connection.execute(select(_findings).where(_findings.c.cluster == cluster)).mappings()
            known = {str(row["fingerprint"]): dict(row) for row in rows}
            for fingerprint, one in there.items():
                row = _row(cluster, one, known.get(fingerprint), now)
                if fingerprint in known:
                    where = (_findings.c.cluster == cluster) & (_findings.c.fingerprint == fingerprint)
                    connection.execute(update(_findings).where(where).values(row))
                else:
                    connection.execute(_findings.insert().values(row))
            gone = [name for name, row in known.items() if name not in there and not row["resolved"]]
            for start in range(0, len(gone), 500):
                part = _findings.c.fingerprint.in_(gone[start : start + 500]) & (_findings.c.cluster == cluster)
                connection.execute(update(_findings).where(part).values(resolved=now))

    def findings(
        self,
        rule: str = "",
        state: str = "",
        namespace: str = "",
        resolved: bool = False,
        least: Severity | None = None,
    ) -> list[KeptFinding]:
        """Those that fit, the most severe and the newest first."""
        wanted = select(_findings)
        for column, value in ((_findings.c.rule, rule), (_findings.c.state, state), (_findings.c.namespace, namespace)):
            if value:
                wanted = wanted.where(column == value)
        if not resolved:
            wanted = wanted.where(_findings.c.resolved.is_(None))
        with self._engine.connect() as connection:
            kept = [_kept(row) for row in connection.execute(wanted).mappings()]
        if least is not None:
            kept = [one for one in kept if Severity.of(one.severity) >= least]
        return sorted(kept, key=lambda one: (-Severity.of(one.severity), -one.first_seen, one.rule))

    def counts(self) -> dict[tuple[str, str, str], int]:
        """How many there are now, by rule, state and severity."""
        found: dict[tuple[str, str, str], int] = {}
        columns = (_findings.c.rule, _findings.c.state, _findings.c.severity)
        with self._engine.connect() as connection:
            for rule, state, severity in connection.execute(select(*columns).where(_findings.c.resolved.is_(None))):
                found[rule, state, severity] = found.get((rule, state, severity), 0) + 1
        return found

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _row(cluster: str, one: Finding, before: dict[str, Any] | None, now: int) -> dict[str, Any]:
    state = str(one.state)
    history = json.loads(before["history"]) if before else []
    if before and before["resolved"]:
        history.append([int(before["resolved"]), "resolved"])
    if not history or history[-1][1] != state:
        history.append([now, state])
    subject = one.subject
    return {
        "fingerprint": one.fingerprint, "cluster": cluster, "rule": one.rule.id, "family": one.rule.family,
        "title": one.rule.title, "kind": subject.kind, "namespace": subject.namespace, "name": subject.name[:255],
        "container": subject.container[:255], "state": state, "severity": str(one.severity), "message": one.message,
        "evidence": json.dumps(one.evidence), "history": json.dumps(history[-_MOST_CHANGES:]),
        "first_seen": before["first_seen"] if before else now, "last_seen": now, "resolved": None,
    }  # fmt: skip


def _kept(row: RowMapping) -> KeptFinding:
    return KeptFinding(
        cluster=row["cluster"],
        fingerprint=row["fingerprint"],
        rule=row["rule"],
        family=row["family"],
        title=row["title"],
        subject={key: row[key] for key in ("kind", "namespace", "name", "container")},
        state=row["state"],
        severity=row["severity"],
        message=row["message"],
        evidence=json.loads(row["evidence"]),
        history=[(int(at), str(state)) for at, state in json.loads(row["history"])],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        resolved=row["resolved"] or 0,
    )
