"""What a log record must have to be kept: a time that is near enough."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import numpy as np

from pilothouse.signals.receive.checking import Announcements, Check, column, of_time

_observed = attrgetter("observed_time_unix_nano")


def check_logs(request: Any, check: Check, announcements: Announcements) -> None:
    """Take out the records that cannot be kept; give a time to those that have none at all."""
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            records = scope_logs.log_records
            if not check.times_hold(_times(records)):
                _settle_times(records, check)
        check.end_resource("logs", resource_logs.resource, announcements)


def _times(records: Any) -> Any:
    times = column(records, of_time)
    if times.all():
        return times
    return np.where(times, times, column(records, _observed))


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
