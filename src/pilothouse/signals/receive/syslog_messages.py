"""A syslog message as a line with its attributes (RFC 5424; RFC 3164 as it is found in the wild)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pilothouse.signals.receive.times import any_time

_PRIORITY = re.compile(r"<(\d{1,3})>")
_NEW = re.compile(r"1 (\S+) (\S+) (\S+) (\S+) (\S+) ", re.DOTALL)
_ELEMENT = re.compile(r'\[([^ =\]"]{1,64})((?: [^ =\]"]{1,64}="(?:[^"\\\]]|\\.)*")*)\]')
_PARAMETER = re.compile(r' ([^ =\]"]+)="((?:[^"\\\]]|\\.)*)"')
_OLD = re.compile(
    r"(?:(?P<old>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)|(?P<iso>\d{4}-\d\d-\d\dT\S+)) (?P<host>[^\s:\[]+) ", re.DOTALL
)
_TAG = re.compile(r"(?P<tag>[^\s:\[]{1,48})(?:\[(?P<pid>[^\]]*)\])?: ?", re.DOTALL)
# RFC 5424, table 2, to OpenTelemetry's severity numbers (logs data model, appendix B).
_SEVERITIES = (22, 21, 18, 17, 13, 10, 9, 5)
_NAMES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")
_FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", *(f"local{number}" for number in range(8)),
)  # fmt: skip


@dataclass
class SyslogMessage:
    """What a message says; `time` in nanoseconds, 0 when it says none."""

    line: str
    time: int = 0
    severity: int = 0
    severity_text: str = ""
    resource: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)


def parse(text: str, now: datetime | None = None) -> SyslogMessage:
    """A message in either form; one without a priority is just a line."""
    found = _PRIORITY.match(text)
    if not found or int(found[1]) > 191:
        return SyslogMessage(text)
    facility, severity = divmod(int(found[1]), 8)
    message = SyslogMessage(
        text[found.end() :], severity=_SEVERITIES[severity], severity_text=_NAMES[severity],
        attributes={"syslog.facility": _FACILITIES[facility]},
    )  # fmt: skip
    if new := _NEW.match(message.line):
        _new(message, new)
    else:
        _old(message, now or datetime.now(UTC))
    return message


def _new(message: SyslogMessage, found: re.Match[str]) -> None:
    time, host, app, process, kind = (None if part == "-" else part for part in found.groups())
    message.time = any_time(time or "")
    _name(message, host, app, process)
    if kind:
        message.attributes["syslog.msgid"] = kind
    rest = message.line[found.end() :]
    if rest.startswith("-"):
        rest = rest[1:]
    while element := _ELEMENT.match(rest):
        for name, value in _PARAMETER.findall(element[2]):
            message.attributes[f"{element[1]}.{name}"] = re.sub(r'\\(["\\\]])', r"\1", value)
        rest = rest[element.end() :]
    message.line = rest.removeprefix(" ").removeprefix("\ufeff")


def _old(message: SyslogMessage, now: datetime) -> None:
    if found := _OLD.match(message.line):
        message.time = any_time(found["iso"]) if found["iso"] else _old_time(found["old"], now)
        message.line = message.line[found.end() :]
        _name(message, found["host"], None, None)
    if tag := _TAG.match(message.line):
        message.line = message.line[tag.end() :]
        _name(message, None, tag["tag"], tag["pid"])


def _old_time(text: str, now: datetime) -> int:
    """RFC 3164 says neither year nor zone: the nearest year that is not in the future, in UTC."""
    for year in (now.year + 1, now.year, now.year - 1):
        try:
            moment = datetime.strptime(f"{year} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            continue
        if (moment - now).total_seconds() < 86400:
            return int(moment.timestamp()) * 1_000_000_000
    return 0


def _name(message: SyslogMessage, host: str | None, app: str | None, process: str | None) -> None:
    if host:
        message.resource["host.name"] = host
    if app:
        message.resource["service.name"] = app
    if process:
        message.attributes["process.pid"] = process
