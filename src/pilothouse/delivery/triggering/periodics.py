"""When a periodic job is due: `cron: "30 3 * * *"`, `interval: 6h`, `minimum_interval: 6h` (Prow's horologium)."""

from __future__ import annotations

from datetime import UTC, datetime

from pilothouse.delivery.pipelines import durations
from pilothouse.delivery.triggering.definition import Definition


def due(definition: Definition, started: float, finished: float, now: float) -> bool:
    """Whether it has to start now; times are seconds since the epoch, `started` and `finished` those of its last run.

    With `cron`, `started` may also be when the job was first seen. Raises `ValueError` for what is no schedule.
    """
    kind, _, text = definition.schedule.partition(": ")
    if kind == "cron":
        return now >= _following(text, started or now)
    try:
        length = durations.seconds(text)
    except ValueError as error:
        raise ValueError(f"job {definition.name}: {kind} {text!r}: {error}") from None
    if not started:
        return True
    if kind == "minimum_interval":
        return bool(finished) and now >= finished + length
    return now >= started + length


def _following(text: str, after: float) -> float:
    from cronsim import CronSim, CronSimError

    text = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
            "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *"}.get(text, text)  # fmt: skip
    try:
        return next(CronSim(text, datetime.fromtimestamp(after, UTC))).timestamp()
    except (CronSimError, StopIteration) as error:
        raise ValueError(f"cron {text!r}: {error or 'never due'}") from None
