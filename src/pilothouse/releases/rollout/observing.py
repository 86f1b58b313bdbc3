"""Who answers a rollout's questions: the judge on the store, and the measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from pilothouse.engine import EngineError
from pilothouse.releases.rollout.asking import Answer
from pilothouse.releases.rollout.measures import measured, requests
from pilothouse.releases.rules import Rules
from pilothouse.releases.store.verdicts import page_of
from pilothouse.signals.errors import SignalError
from pilothouse.signals.metrics.promql.errors import PromqlError
from pilothouse.signals.selector import parse_selector
from pilothouse.signals.sentences import sentence
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.rollout.plan import Check
    from pilothouse.releases.rollout.run import Run
    from pilothouse.releases.store import ReleaseStore

log = structlog.get_logger(__name__)
_SECOND = 1_000_000_000
_MOST_FINDINGS = 10


class Observer:
    """Asks the store; keeps each verdict, so that the rollout's events can point to it."""

    def __init__(self, engine: Engine, store: ReleaseStore) -> None:
        self._engine, self._store = engine, store

    def judge(self, run: Run, now: float, level: float) -> Answer:
        """The verdict on the time since the step's weight was set; where that is too short, since the rollout began.

        Who may ask twice has half of the level for each.
        """
        if not any(step.weight for step in run.plan.steps[: run.step]):
            return self._judged(run, run.since, now, level)
        answer = self._judged(run, run.since, now, level / 2)
        if answer.verdict != "cannot_tell":
            return answer
        wider = self._judged(run, run.started, now, level / 2)
        return wider if wider.verdict != "cannot_tell" else answer

    def served(self, run: Run, now: float) -> int:
        """How many requests the candidate has served in this step, by its server spans; 0 when that cannot be had."""
        try:
            return requests(self._engine, run, run.since, now)
        except (SignalError, EngineError) as error:
            log.warning("requests could not be counted", rollout=run.id, reason=str(error))
            return 0

    def measure(self, run: Run, check: Check, now: float) -> float | None:
        """The value of a check; None when it cannot be had."""
        try:
            return measured(self._engine, run, check, now)
        except (SignalError, EngineError, PromqlError) as error:
            log.warning("a check could not be asked", rollout=run.id, check=check.name, reason=str(error))
            return None

    def _judged(self, run: Run, since: float, now: float, level: float) -> Answer:
        from pilothouse.releases.comparing import compare

        plan = run.plan
        within = TimeRange(int(since * _SECOND), max(int(now * _SECOND), int(since * _SECOND) + 1))
        try:
            marks = self._store.marks.all()
            promised = self._store.slos.all(plan.service)
            found = compare(
                self._engine, plan.service, plan.baseline, plan.candidate, within, parse_selector(plan.selector),
                Rules(false_discovery_rate=level),
                marks=marks, objectives=promised,
            )  # fmt: skip
        except (SignalError, EngineError) as error:
            # A version that nobody has heard of yet has sent no telemetry so far.
            return Answer("cannot_tell", sentence("cannot tell: {reason}", reason=str(error)))
        key = self._store.verdicts.keep(found)
        evidence: dict[str, Any] = {
            "comparison": key,
            "confidence": found.confidence,
            "page": page_of(found.page, key),
            "missing": list(found.missing),
            "findings": [one.title for one in found.findings if one.direction == "worse"][:_MOST_FINDINGS],
            "stories": [story.title for story in found.stories if story.direction == "worse"][:_MOST_FINDINGS],
        }
        return Answer(found.verdict, found.summary, evidence)
