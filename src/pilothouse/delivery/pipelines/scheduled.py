"""Runs by the clock. A PipelineRun or TaskRun in the directory with this annotation is started each time:

    pilothouse.dev/cron: "30 3 * * 1-5"            # five fields, as in crontab
    pilothouse.dev/timezone: Europe/Berlin         # UTC when not given

What was due while nothing ran is not made up for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pilothouse.delivery.pipelines.catalog import RUN_KINDS
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.errors import DocumentError

CRON = "pilothouse.dev/cron"
ZONE = "pilothouse.dev/timezone"


class Clock:
    """Knows what is due next."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, str, str], datetime] = {}
        self._documents: list[Document] = []
        self._seen: Any = None

    def changed(self, directory: Path) -> bool:
        """Whether a file of the directory is another than last time."""
        found = sorted((str(path), path.stat().st_mtime_ns) for path in directory.rglob("*") if path.is_file())
        if found == self._seen:
            return False
        self._seen = found
        return True

    def due(self, documents: list[Document] | None, now: datetime | None = None) -> list[Document]:
        """What is due now; `documents` are those that are there now, None for no change. Raises `DocumentError`."""
        now = now or datetime.now(UTC)
        if documents is not None:
            self._documents = [one for one in documents if one.kind in RUN_KINDS and _annotation(one, CRON)]
        found, times = [], {}
        for one in self._documents:
            key = (one.kind, one.name, _annotation(one, CRON))
            at = self._next.get(key) or following(one, now)
            if at <= now:
                found.append(one)
                at = following(one, now)
            times[key] = at
        self._next = times
        return found


def following(document: Document, after: datetime) -> datetime:
    """When a document is due next. Raises `DocumentError` for what is no schedule."""
    from cronsim import CronSim, CronSimError

    text, zone = _annotation(document, CRON), _annotation(document, ZONE) or "UTC"
    try:
        return next(CronSim(text, after.astimezone(ZoneInfo(zone)))).astimezone(UTC)
    except (CronSimError, StopIteration) as error:
        raise DocumentError(f"{document.title}: {CRON} {text!r}: {error or 'never due'}") from None
    except (ZoneInfoNotFoundError, ValueError):
        raise DocumentError(f"{document.title}: {ZONE} {zone!r} is not a time zone, such as Europe/Berlin") from None


def once(document: Document) -> Document:
    """One run of a scheduled document, with a name of its own."""
    meta = dict(document.body.get("metadata") or {})
    name = meta.pop("name", "")
    meta["generateName"] = meta.get("generateName") or f"{name[:50]}-"
    meta["labels"] = {**(meta.get("labels") or {}), "pilothouse.dev/scheduled": document.name.rstrip("-")}
    return Document({**document.body, "metadata": meta}, document.source, document.line)


def _annotation(document: Document, name: str) -> str:
    return str(((document.body.get("metadata") or {}).get("annotations") or {}).get(name, ""))
