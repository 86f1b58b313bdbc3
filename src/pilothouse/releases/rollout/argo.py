"""Argo Rollouts' Rollout with its AnalysisTemplates (argoproj.io/v1alpha1), as far as it maps.

The steps setWeight and pause map, and metrics of analyses that ask Prometheus with a plain condition. Steps that need
Argo's own controller (scales, experiments, routes by header, mirrors, plugins) do not, and are said.
"""

from __future__ import annotations

import re
from typing import Any

from pilothouse.releases.rollout import own
from pilothouse.releases.rollout.document import Place
from pilothouse.releases.rollout.plan import Check, Plan, Step

_ELSEWHERE = {
    "setCanaryScale": "the number of pods is not set", "experiment": "experiments are not run",
    "setHeaderRoute": "requests are not routed by headers", "setMirrorRoute": "traffic is not mirrored",
    "plugin": "step plugins are not run", "replicaProgressThreshold": "the progress of pods is not looked at",
}  # fmt: skip
# `result[0] >= 0.95`, `result < 500`, and two of them with && between.
_CONDITION = re.compile(r"result(?:\[0\])?\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)")
_ARGUMENT = re.compile(r"\{\{\s*args\.([\w-]+)\s*\}\}")


def read(found: list[dict[str, Any]], overrides: Place) -> Plan:
    """The plan of the first Rollout, with the AnalysisTemplates that stand beside it."""
    rollout = Place(next(one for one in found if one.get("kind") == "Rollout"))
    canary = rollout.at("spec").at("strategy").at("canary")
    if canary.content is None:
        raise rollout.at("spec").at("strategy").wrong("only canary maps to steps; blueGreen does not")
    templates = {
        Place(one).at("metadata").at("name").text(): Place(one)
        for one in found
        if one.get("kind") in ("AnalysisTemplate", "ClusterAnalysisTemplate")
    }
    left: list[str] = []
    steps, analyses = _steps(canary, left)
    checks: dict[str, Check] = {}
    for analysis in [*analyses, *([canary.at("analysis")] if canary.at("analysis").content else [])]:
        for check in _checks(analysis, templates, left):
            checks.setdefault(check.name, check)
    if analyses:
        left.append("analysis steps: their metrics are checked at every step, not at one")
    if canary.at("trafficRouting").content:
        left.append("trafficRouting: say with `traffic` what shifts the traffic here")
    metadata = rollout.at("metadata")
    labels = metadata.at("labels").mapping()
    service = overrides.at("service").text() or str(labels.get("app.kubernetes.io/name") or metadata.at("name").text())
    return Plan(
        service=service,
        baseline=overrides.at("baseline").text(),
        candidate=overrides.at("candidate").text(),
        traffic=own.traffic(Place({}), overrides),
        steps=tuple(steps),
        checks=tuple(checks.values()),
        not_mapped=tuple(dict.fromkeys(left)),
    )


def _steps(canary: Place, left: list[str]) -> tuple[list[Step], list[Place]]:
    steps: list[Step] = []
    analyses: list[Place] = []
    for place in canary.at("steps").items():
        for name in place.mapping():
            if name == "setWeight":
                steps.append(Step(place.at(name).whole(0, 100)))
            elif name == "pause":
                hold = _pause(place.at(name))
                # A pause belongs to the weight before it: that is what is held and judged.
                if steps and steps[-1].weight is not None and steps[-1].hold == 0.0:
                    steps[-1] = Step(steps[-1].weight, hold)
                else:
                    steps.append(Step(None, hold))
            elif name == "analysis":
                analyses.append(place.at(name))
            else:
                left.append(f"{name}: {_ELSEWHERE.get(name, 'is not known')}")
    return steps, analyses


def _pause(place: Place) -> float | None:
    duration = place.at("duration")
    return None if duration.content is None else duration.seconds()


def _checks(analysis: Place, templates: dict[str, Place], left: list[str]) -> list[Check]:
    found: list[Check] = []
    given = {one.at("name").text(): one.at("value").text() for one in analysis.at("args").items()}
    for reference in analysis.at("templates").items():
        name = reference.at("templateName").text() or reference.at("clusterScope").text()
        template = templates.get(name)
        if template is None:
            left.append(f"analysis template {name!r} is not in the file")
            continue
        spec = template.at("spec")
        usual = {
            one.at("name").text(): one.at("value").text() for one in spec.at("args").items() if one.at("value").content
        }
        checks = [_check(metric, usual | given, left) for metric in spec.at("metrics").items()]
        found += [check for check in checks if check]
    return found


def _check(metric: Place, arguments: dict[str, str], left: list[str]) -> Check | None:
    name = metric.at("name").text()
    provider = metric.at("provider")
    if "prometheus" not in provider.mapping():
        left.append(f"metric {name}: {', '.join(provider.mapping()) or 'no provider'} is not asked")
        return None
    query = _ARGUMENT.sub(lambda one: arguments.get(one[1], one[0]), provider.at("prometheus").at("query").text())
    if missing := _ARGUMENT.search(query):
        left.append(f"metric {name}: the argument {missing[1]!r} has no value in the file")
        return None
    bounds = _bounds(metric.at("successCondition").text(), metric.at("failureCondition").text())
    if bounds is None:
        left.append(f"metric {name}: its condition is more than a comparison of the result with a number")
        return None
    failures = metric.at("failureLimit").whole(0, 1000) if metric.at("failureLimit").content is not None else 0
    interval = metric.at("interval").seconds() if metric.at("interval").content is not None else 60.0
    return Check(name, "", query, bounds[0], bounds[1], max(interval, 1.0), failures)


def _bounds(success: str, failure: str) -> tuple[float | None, float | None] | None:
    """The least and the most that succeed; None when the conditions say more than that."""
    text = success or failure
    parts = [_CONDITION.fullmatch(part.strip()) for part in text.split("&&" if success else "||")]
    if not text or not all(parts):
        return None
    least: float | None = None
    most: float | None = None
    for part in parts:
        assert part is not None
        # A failure's condition is the other way round.
        if part[1].startswith(">") == bool(success):
            least = float(part[2])
        else:
            most = float(part[2])
    return least, most
