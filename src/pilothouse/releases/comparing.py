"""`compare`: from two versions and a time range to a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pilothouse.releases import deciding, drifting, logs, metrics, profiles, reporting, traces
from pilothouse.releases.both import Both
from pilothouse.releases.comparison import Comparison, SignalReport
from pilothouse.releases.finding import Finding, SignalName
from pilothouse.releases.mixing import matched
from pilothouse.releases.party import Party
from pilothouse.releases.ranking import ranked
from pilothouse.releases.siding import stage
from pilothouse.releases.slos import judging as slos
from pilothouse.releases.stories import changes, tell
from pilothouse.releases.tested import Tested
from pilothouse.releases.trial import Trial
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.sentences import sentence

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.mark import Mark
    from pilothouse.releases.rules import Rules
    from pilothouse.releases.slos.objective import Objective
    from pilothouse.signals.selector import Selector
    from pilothouse.signals.timerange import TimeRange

# The engine has a few handles for all who ask: a comparison takes half of them.
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the four signals know of a trial, read from the store (or made by a simulation)."""

    metrics: metrics.Measures
    traces: traces.Operations
    logs: logs.Patterns
    profiles: list[profiles.Costs]

    @property
    def seen(self) -> dict[str, bool]:
        """Which signals had anything on both sides."""
        return {
            "metrics": bool(self.metrics.measures),
            "traces": all(
                any(side.sum() for side in sides)
                for sides in zip(*(tuple(one.counts) for one in self.traces.operations), strict=True)
            )
            if self.traces.operations
            else False,
            "logs": any(self.logs.lines),
            "profiles": bool(self.profiles),
        }


def compare(
    engine: Engine,
    service: str,
    baseline: str | Party,
    candidate: str | Party,
    within: TimeRange,
    where: Selector | None = None,
    rules: Rules | None = None,
    migration: bool = False,
    marks: Sequence[Mark] = (),
    objectives: Sequence[Objective] = (),
) -> Comparison:
    """Is `candidate` worse than `baseline` within this range, judged by all four signals?

    Each is a version or a party; `where` narrows both to a part (a region, some pods); `migration` says that they are
    two homes of the service, to be matched by their request mix; `marks` are what people said of releases, `objectives`
    what the service promises. Raises `NotFoundError` for an unknown service or version, `BadRequestError` when both are
    the same.
    """
    began = time.monotonic()
    sides = Both(*(Party(one) if isinstance(one, str) else one for one in (baseline, candidate)))
    if baseline == candidate:
        raise BadRequestError(f"candidate: {sides.candidate.name} cannot be compared with itself", "candidate")
    trial, missing = stage(engine, service, sides, within, where, rules, migration)
    trial = replace(trial, objectives=tuple(objectives))
    if missing:
        return _nothing(trial, missing, time.monotonic() - began)
    trial, unlike = matched(engine, trial)
    if unlike:
        return _nothing(trial, unlike, time.monotonic() - began)
    evidence, tests = read_and_test(engine, trial)
    comparison = conclude(evidence, tests, trial, lambda: _drifts(engine, trial))
    shown = tuple(_illustrated(engine, trial, finding) for finding in comparison.findings)
    # What changed around explains what is worse; it is not asked for when nothing is.
    around = changes(engine, service, marks, trial.range) if comparison.verdict == "worse" else []
    told = tell(engine, trial, shown, around)
    took = round(time.monotonic() - began, 3)
    return replace(comparison, findings=shown, stories=tuple(told), changes=tuple(around), took_seconds=took)


def judge(evidence: Evidence, trial: Trial) -> Comparison:
    """The verdict on what was read; needs no store."""
    return conclude(evidence, tests_of(evidence, trial), trial)


def tests_of(evidence: Evidence, trial: Trial) -> list[Tested]:
    """All tests on what was read."""
    return [one for name, (_, test) in _SIGNALS.items() for one in test(getattr(evidence, name), trial)]


def _test_traces(found: traces.Operations, trial: Trial) -> list[Tested]:
    return [*traces.judge(found, trial), *slos.judge(trial.objectives, found, trial)]


# How each signal of `Evidence` is read and tested.
_SIGNALS: dict[SignalName, tuple[Callable[[Engine, Trial], Any], Callable[[Any, Trial], list[Tested]]]] = {
    "metrics": (metrics.read, metrics.judge),
    "traces": (traces.read, _test_traces),
    "logs": (logs.read, logs.judge),
    "profiles": (profiles.read, profiles.judge),
}
# Log lines take the longest to read: the others are read and tested beside them.
_LONGEST_FIRST: tuple[SignalName, ...] = ("logs", "traces", "profiles", "metrics")


def read_and_test(engine: Engine, trial: Trial) -> tuple[Evidence, list[Tested]]:
    """All four signals of a trial, each tested as soon as it is read."""

    def one(name: SignalName) -> tuple[Any, list[Tested]]:
        reading, testing = _SIGNALS[name]
        found = reading(engine, trial)
        return found, testing(found, trial)

    with ThreadPoolExecutor(_AT_ONCE, "compare") as pool:
        running = {name: pool.submit(one, name) for name in _LONGEST_FIRST}
        done = {name: running[name].result() for name in _SIGNALS}
    evidence = Evidence(**{str(name): found for name, (found, _) in done.items()})
    return evidence, [test for _, tests in done.values() for test in tests]


def _drifts(engine: Engine, trial: Trial) -> list[Tested]:
    earlier = drifting.one_step_earlier(engine, trial)
    return read_and_test(engine, earlier)[1] if earlier else []


def conclude(
    evidence: Evidence, tests: list[Tested], trial: Trial, drifts: Callable[[], list[Tested]] = list
) -> Comparison:
    """The verdict from all tests; `drifts` are asked for when sides that did not run together differ for the worse."""
    found = _concluded(evidence, tests, trial)
    if found.verdict != "worse" or trial.paired or not (moved := drifts()):
        return found
    left, said = drifting.without_drift(tests, moved)
    if not said:
        return found
    noted = (*trial.noted, drifting.told(said, trial.sides.baseline.version))
    return _concluded(evidence, left, replace(trial, noted=noted))


def _concluded(evidence: Evidence, tests: list[Tested], trial: Trial) -> Comparison:
    settled = deciding.settle(tests, trial.rules)
    explainers: dict[SignalName, Callable[[list[tuple[Tested, float]], Trial], list[Finding]]] = {
        "metrics": metrics.explain,
        "traces": _explain_traces,
        "logs": logs.explain,
        "profiles": partial(profiles.explain, doubted=settled.doubted.get("profiles", [])),
    }
    findings = ranked(
        [one for name, explain in explainers.items() for one in explain(settled.held.get(name, []), trial)]
    )
    seen = evidence.seen
    missing = deciding.shortages(trial, settled, seen)
    verdict = deciding.decide(findings, missing)
    remarks = _remarks(evidence, trial)
    return Comparison(
        service=trial.service,
        sides=trial.sides,
        kind=trial.kind,
        verdict=verdict,
        confidence=round(deciding.confidence(verdict, findings, settled, trial.rules), 4),
        summary=reporting.summary(trial, verdict, findings, missing, settled),
        missing=tuple(missing) if verdict == "cannot_tell" else (),
        notes=tuple(reporting.notes(trial)),
        signals={
            name: reporting.report(name, settled, findings, seen[name], trial, remarks[name]) for name in explainers
        },
        findings=tuple(findings),
        took_seconds=0.0,
    )


def _explain_traces(held: list[tuple[Tested, float]], trial: Trial) -> list[Finding]:
    """Objectives are tested on the same requests as operations, and told in their own words."""
    promised = [one for one in held if one[0].measure == slos.MEASURE]
    others = [one for one in held if one[0].measure != slos.MEASURE]
    return traces.explain(others, trial) + slos.explain(promised, trial)


def _remarks(evidence: Evidence, trial: Trial) -> dict[str, str]:
    """What a reader must know of each signal's data."""
    cut = sentence("more than could be judged: only the busiest were")
    return {
        "metrics": cut if evidence.metrics.cut_off else "",
        "traces": cut if evidence.traces.cut_off else "",
        "logs": cut if evidence.logs.cut_off else "",
        "profiles": ""
        if evidence.profiles
        else sentence("at least {least} profiles of each version are needed", least=trial.rules.least_profiles),
    }


def _illustrated(engine: Engine, trial: Trial, finding: Finding) -> Finding:
    if finding.signal != "traces":
        return finding
    gone = finding.candidate == 0
    side = trial.sides.baseline if gone else trial.sides.candidate
    kind, errors = finding.detail["kind"], finding.measure in (*traces.ERROR_SHARES, slos.MEASURE)
    return replace(finding, examples=traces.illustrate(engine, side, finding.subject, kind, errors))


def _nothing(trial: Trial, missing: list[str], took: float) -> Comparison:
    """One side has no telemetry in the range."""
    names: tuple[Any, ...] = ("metrics", "traces", "logs", "profiles")
    return Comparison(
        service=trial.service,
        sides=trial.sides,
        kind=trial.kind,
        verdict="cannot_tell",
        confidence=0.0,
        summary=reporting.undecided(trial, missing[0]),
        missing=tuple(missing),
        notes=(),
        signals={name: SignalReport("no_data", 0, 0, None) for name in names},
        findings=(),
        took_seconds=round(took, 3),
    )
