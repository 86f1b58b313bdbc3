"""From tests that held to findings in words."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pilothouse.releases.finding import Finding
from pilothouse.releases.logs.judging import ALL_ERRORS
from pilothouse.releases.logs.pattern import Pattern
from pilothouse.releases.wording import digits, signed_percent
from pilothouse.signals.sentences import Sentence, sentence
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.releases.tested import Tested
    from pilothouse.releases.trial import Trial

_SHOWN = 120
_KINDS = {"error": sentence("error"), "warn": sentence("warning")}


def explain(held: list[tuple[Tested, float]], trial: Trial) -> list[Finding]:
    """The sum of all errors is only told when no single pattern tells it."""
    grave = any(test.subject != ALL_ERRORS and test.direction == "worse" for test, _ in held)
    return [_finding(test, q, trial) for test, q in held if not (grave and test.subject == ALL_ERRORS)]


def _finding(test: Tested, q: float, trial: Trial) -> Finding:
    pattern = test.source if isinstance(test.source, Pattern) else None
    return Finding(
        signal="logs",
        subject=test.subject,
        direction=test.direction,
        title=_title(test, pattern),
        measure=test.measure,
        baseline=test.baseline,
        candidate=test.candidate,
        unit=test.unit,
        change=test.change,
        interval=test.interval,
        p_value=test.p_value,
        q_value=q,
        examples=(pattern.example,) if pattern else (),
        evidence=_path(trial, test, pattern),
        detail={
            "level": pattern.level if pattern else "error",
            "lines": [int(side.sum()) for side in (pattern.counts if pattern else test.source.errors)],
            "trace": pattern.trace if pattern else "",
        },
    )


def _title(test: Tested, pattern: Pattern | None) -> str:
    if pattern is None:
        return sentence("error lines are {often}", often=_how_often(test))
    kind = _KINDS.get(pattern.level, sentence("log line"))
    text = pattern.text if len(pattern.text) <= _SHOWN else f"{pattern.text[: _SHOWN - 1]}…"
    if not test.baseline:
        lines = int(pattern.counts.candidate.sum())
        return sentence("new {kind}: {text} ({lines} lines)", kind=kind, text=text, lines=lines)
    if not test.candidate:
        lines = int(pattern.counts.baseline.sum())
        return sentence("{kind} gone: {text} ({lines} lines before)", kind=kind, text=text, lines=lines)
    return sentence("{kind} {often}: {text}", kind=kind, often=_how_often(test), text=text)


def _how_often(test: Tested) -> Sentence:
    if test.change is None or not test.baseline:
        return sentence("new")
    if test.rising:
        return sentence("{number} times as frequent", number=digits(1 + test.change))
    return sentence("less frequent ({detail})", detail=signed_percent(test.change))


def _path(trial: Trial, test: Tested, pattern: Pattern | None) -> str:
    """The log lines of the side that has more of them, by the longest text that all of them share."""
    side = trial.sides.candidate if test.rising else trial.sides.baseline
    query = {
        "selector": f'service_name="{_quoted(trial.service)}",service_version="{_quoted(side.version)}"',
        "start": to_rfc3339(side.windows.start),
        "end": to_rfc3339(side.windows.end),
    }
    if pattern and (shared := max(pattern.text.split("<*>"), key=len).strip()):
        query["contains"] = shared
    return f"/api/logs?{urlencode(query)}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
