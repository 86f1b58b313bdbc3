"""What a log record must have to be kept: a time that is near enough."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from pilothouse.signals.receive.checking import Announcements, Check, of_time

_both = attrgetter("time_unix_nano", "observed_time_unix_nano")


def check_logs(request: Any, check: Check, announcements: Announcements) -> None:
    """Take out the records that cannot be kept; give a time to those that have none at all."""
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            records = scope_logs.log_records
            if not check.times_hold(_times(records)):
                _settle_times(records, check)
        check.end_resource("logs", resource_logs.resource, announcements)


def look_at_logs(request: Any, check: Check, found: str) -> None:
    """Nothing in a log request is marked but nested values."""


def _times(records: Any) -> list[int]:
    times = list(map(of_time, records))
    return times if all(times) else [time or observed for time, observed in map(_both, records)]


def _settle_times(records: Any, check: Check) -> None:
    # A record without any time is as old as its arrival (OTLP logs data model, ObservedTimestamp).
    for record in records:
        if not record.time_unix_nano and not record.observed_time_unix_nano:
            record.observed_time_unix_nano = check.now
    check.keep(records, lambda record: _fault(record, check))
    check.times_hold(_times(records))


def _fault(record: Any, check: Check) -> str:
    if record.time_unix_nano:
        return check.time_fault("time_unix_nano", record.time_unix_nano)
    return check.time_fault("observed_time_unix_nano", record.observed_time_unix_nano)
