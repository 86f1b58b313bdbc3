"""From findings to stories: what belongs together, with its causes ranked by what they explain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pilothouse.releases.stories.associating import Association, of_function, of_line
from pilothouse.releases.stories.linking import Link, links
from pilothouse.releases.stories.story import Cause, Change, Story
from pilothouse.releases.stories.unfolding import Part, unfold
from pilothouse.releases.traces.operation import ERROR_SHARES
from pilothouse.releases.wording import amount, percent
from pilothouse.signals.identity import SERVICE
from pilothouse.signals.selecting import resources
from pilothouse.signals.selector import Selector
from pilothouse.signals.sentences import sentence

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.finding import Finding
    from pilothouse.releases.trial import Trial

_MOST_ASKED = 5
_MOST_CAUSES = 8
# How near to a cause each kind of evidence is: a function is a reason, a slow operation is what was felt.
_NEAR = {"function": 1.0, "dependency": 0.95, "memory": 0.9, "error": 0.8, "operation": 0.7, "symptom": 0.2}
_PART = 0.15
_BETWEEN = 0.35


def tell(engine: Engine, trial: Trial, findings: Sequence[Finding], around: Sequence[Change] = ()) -> list[Story]:
    """The stories of what is worse, then of what is better; the first causes first."""
    told = [one for one in findings if one.direction != "moved" or one.signal in ("traces", "logs")]
    if not any(one.direction != "moved" for one in told):
        return []
    associations = _associations(engine, trial, told)
    found = links(told, associations)
    services = {one.identity: one.attributes.get(SERVICE, "") for one in resources(engine, Selector())}
    stories = []
    for group in _groups(told, found):
        if all(one.direction == "moved" for one in group):
            continue
        parts = _unfolded(engine, trial, group, services)
        stories.append(_story(trial, group, found, associations, parts, around))
    return sorted(stories, key=lambda one: (one.direction != "worse", min(one.findings)))


def _associations(engine: Engine, trial: Trial, told: Sequence[Finding]) -> dict[int, list[Association]]:
    found: dict[int, list[Association]] = {}
    for one in told:
        if len(found) >= 2 * _MOST_ASKED:
            break
        if one.signal == "logs" and "<" in f"{one.subject}<" and one.detail.get("trace"):
            side = trial.sides.candidate if one.candidate else trial.sides.baseline
            found[one.rank] = of_line(engine, side, one)
        elif one.signal == "profiles":
            found[one.rank] = of_function(engine, trial, one)
    return {rank: known for rank, known in found.items() if known}


def _groups(told: Sequence[Finding], found: Sequence[Link]) -> list[list[Finding]]:
    """Connected findings; each rank leads to the smallest rank of its group."""
    leader = {one.rank: one.rank for one in told}

    def lead(rank: int) -> int:
        while leader[rank] != rank:
            rank = leader[rank]
        return rank

    for link in found:
        first, second = sorted((lead(link.one), lead(link.other)))
        leader[second] = first
    groups: dict[int, list[Finding]] = {}
    for one in told:
        groups.setdefault(lead(one.rank), []).append(one)
    return list(groups.values())


def _unfolded(engine: Engine, trial: Trial, group: Sequence[Finding], services: dict[int, str]) -> list[Part]:
    """The parts of the first operation of a group that is slower."""
    for one in group:
        if one.signal == "traces" and one.direction == "worse" and one.measure.startswith("duration"):
            return unfold(engine, trial, one.subject, int(one.detail["kind"]), services)
    return []


def _story(
    trial: Trial,
    group: list[Finding],
    found: Sequence[Link],
    associations: dict[int, list[Association]],
    parts: list[Part],
    around: Sequence[Change],
) -> Story:
    ranks = {one.rank for one in group}
    felt = _felt(group)
    causes = [_cause(one, felt, trial, associations) for one in group]
    causes += _of_parts(trial, parts, {one.subject for one in group if one.signal == "traces"})
    causes += _of_changes(trial, causes, around)
    causes.sort(key=lambda one: (-one.score, one.finding or 999, one.subject))
    return Story(
        title=_title(felt, causes),
        direction=min((one.direction for one in group), key=("worse", "better", "moved").index),
        causes=tuple(causes[:_MOST_CAUSES]),
        findings=tuple(sorted(ranks)),
        links=tuple(link.words for link in found if link.one in ranks),
    )


def _felt(group: Sequence[Finding]) -> Finding:
    """What users notice: a slow or failing operation, else what the signals rank first."""
    entries = [one for one in group if one.signal == "traces" and one.direction != "moved"]
    return min(entries or [one for one in group if one.direction != "moved"], key=lambda one: one.rank)


def _title(felt: Finding, causes: Sequence[Cause]) -> str:
    first = causes[0]
    if first.finding == felt.rank or first.kind == "symptom":
        return felt.title
    return sentence("{said}; most likely because of {cause}", said=felt.title, cause=first.subject)


def _cause(one: Finding, felt: Finding, trial: Trial, associations: dict[int, list[Association]]) -> Cause:
    kind, share = "symptom", None
    if one.direction != "moved":
        match one.signal:
            case "profiles":
                kind = "function" if one.unit == "ns" else "memory"
                share = _explained(one, felt)
            case "logs":
                kind = "error"
                share = _logged(one, felt, associations)
            case "traces" if one.measure in ERROR_SHARES and felt is not one:
                kind = "operation"
            case "metrics" if felt.signal != "traces" and one is not felt:
                kind = "symptom"
    elif one.signal == "traces":
        kind = "operation"
    elif one.signal == "logs":
        share = _logged(one, felt, associations)
        kind = "error" if share else "symptom"
    # What nothing measures is taken for half an explanation.
    score = _NEAR[kind] * (0.5 if share is None else 0.3 + 0.7 * share)
    return Cause(kind, one.subject, trial.service, one.title, score, share, one.rank)  # type: ignore[arg-type]


def _explained(function: Finding, felt: Finding) -> float | None:
    if felt.signal != "traces" or not felt.measure.startswith("duration") or function.unit != "ns":
        return None
    slower = (felt.candidate or 0.0) - (felt.baseline or 0.0)
    more = ((function.candidate or 0.0) - (function.baseline or 0.0)) / 1e6
    return max(0.0, min(more / slower, 1.0)) if slower > 0 else None


def _logged(line: Finding, felt: Finding, associations: dict[int, list[Association]]) -> float | None:
    """How much of the operation's trouble the line goes with."""
    mine = next((one for one in associations.get(line.rank, []) if one.operation == felt.subject), None)
    if mine is None:
        return None
    apart = 1 - mine.quick / mine.slow if mine.slow > mine.quick > 0 else 0.0
    return max(0.0, min(1.0, mine.held * max(apart, 0.5)))


def _of_parts(trial: Trial, parts: Sequence[Part], told: set[str]) -> list[Cause]:
    """Kinds of spans that took a good part of the longer time for themselves."""
    whole = sum(part.grown for part in parts)
    found = []
    for part in parts:
        share = part.grown / whole if whole > 0 else 0.0
        if share < _PART:
            break
        elsewhere = part.service not in ("", trial.service)
        if part.name in told and not elsewhere:
            continue
        kind = "dependency" if elsewhere else "operation"
        where = f"{part.service}: {part.name}" if elsewhere else part.name
        words = sentence(
            "{where} took {now} per request for itself instead of {before}: {share} of the longer time",
            where=where,
            now=amount(part.candidate, "ms"),
            before=amount(part.baseline, "ms"),
            share=percent(min(share, 1.0)),
        )
        score = _NEAR[kind] * (0.3 + 0.7 * min(share, 1.0))
        found.append(Cause(kind, where, part.service or trial.service, words, score, min(share, 1.0)))  # type: ignore[arg-type]
    return found


def _of_changes(trial: Trial, causes: Sequence[Cause], around: Sequence[Change]) -> list[Cause]:
    """What changed nearby: a dependency's release, where that dependency took the time; and, where both sides did not
    run at the same time, everything else that changed between them.
    """
    slow = {one.service: one for one in causes if one.kind == "dependency"}
    # What was there for most of the baseline's time is no difference between the sides.
    before = trial.sides.baseline.windows
    since = trial.range.start if trial.paired else (before.start + before.end) // 2
    found = []
    for change in around:
        versions = {side.party.version for side in trial.sides if side.party.version}
        if change.relation == "itself" and any(version in change.words for version in versions):
            continue
        if change.at < since:
            continue
        if (one := slow.get(change.service)) is not None:
            score, share = min(one.score * 1.02, 1.0), one.share
        elif not trial.paired and change.kind != "instances":
            score, share = _BETWEEN, None
        else:
            continue
        found.append(Cause("change", change.words, change.service, change.words, score, share))
    return found[:_MOST_CAUSES]
