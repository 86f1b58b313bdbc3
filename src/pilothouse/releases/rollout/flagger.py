"""Flagger's Canary (flagger.app/v1beta1), as far as it maps.

Weights, intervals and metrics with their ranges map; so do the two built-in metrics. What runs in other places
(webhooks, alerts, metric templates of other providers, header matches, mirroring) does not, and is said.
"""

from __future__ import annotations

from typing import Any

from pilothouse.releases.rollout import own
from pilothouse.releases.rollout.document import Place
from pilothouse.releases.rollout.plan import Check, Judging, Plan, Step

_BUILT_IN = {"request-success-rate": "success_rate", "request-duration": "duration_p99"}
_ELSEWHERE = {
    "webhooks": "webhooks are not called; put what must be waited for into a pause",
    "alerts": "alerts are not sent",
    "match": "requests are not chosen by headers or cookies (A/B testing)",
    "mirror": "traffic is not mirrored",
    "mirrorWeight": "traffic is not mirrored",
    "sessionAffinity": "sessions do not stick to a version",
    "stepWeightPromotion": "the traffic goes to the new version at once after the last step",
    "primaryReadyThreshold": "readiness of pods is not looked at",
    "canaryReadyThreshold": "readiness of pods is not looked at",
}
_OF_SPEC = {
    "autoscalerRef": "autoscalers are left alone",
    "progressDeadlineSeconds": "there is no deadline for the deployment's own progress",
    "skipAnalysis": "the analysis is never skipped; promote the rollout instead",
    "revertOnDeletion": "there is no object whose deletion could be reverted",
    "suspend": "a rollout is paused with `pilothouse rollout pause`",
}


def read(found: list[dict[str, Any]], overrides: Place) -> Plan:
    """The plan of the first Canary, with the MetricTemplates that stand beside it."""
    canary = Place(next(one for one in found if one.get("kind") == "Canary"))
    spec, left = canary.at("spec"), list[str]()
    analysis = spec.at("analysis") if spec.at("analysis").content else spec.at("canaryAnalysis")
    left += [words for name, words in _OF_SPEC.items() if spec.at(name).content]
    left += list(dict.fromkeys(words for name, words in _ELSEWHERE.items() if analysis.at(name).content))
    interval = analysis.at("interval").seconds() if analysis.at("interval").content is not None else 60.0
    threshold = analysis.at("threshold").whole(0, 10_000) if analysis.at("threshold").content is not None else 1
    if threshold > 1:
        left.append("threshold counts failed checks in a row, not all of them together")
    templates = {str(Place(one).at("metadata").at("name").text()): Place(one) for one in found if _is_template(one)}
    checks = [_check(one, interval, threshold, templates, left) for one in analysis.at("metrics").items()]
    return Plan(
        service=overrides.at("service").text() or _service(spec, canary),
        baseline=overrides.at("baseline").text(),
        candidate=overrides.at("candidate").text(),
        traffic=own.traffic(Place({}), overrides),
        steps=tuple(Step(weight, interval) for weight in _weights(analysis)),
        checks=tuple(check for check in checks if check),
        judging=Judging(every=max(interval, 1.0), failures=max(threshold, 1)),
        not_mapped=tuple(left),
    )


def _service(spec: Place, canary: Place) -> str:
    return (
        spec.at("service").at("name").text()
        or spec.at("targetRef").at("name").text()
        or canary.at("metadata").at("name").text()
    )


def _weights(analysis: Place) -> list[int]:
    if steps := analysis.at("stepWeights").items():
        return [one.whole(1, 100) for one in steps]
    most = analysis.at("maxWeight").whole(1, 100) if analysis.at("maxWeight").content is not None else 100
    if analysis.at("stepWeight").content is None:
        # Flagger then gives the new version no share of everybody's requests: none of ours would be the same.
        raise analysis.wrong(
            "has neither stepWeight nor stepWeights; A/B testing and blue and green (iterations) do not map to weights"
        )
    step = analysis.at("stepWeight").whole(1, 100)
    return list(range(step, most + 1, step)) or [most]


def _is_template(one: dict[str, Any]) -> bool:
    return one.get("kind") == "MetricTemplate"


def _check(place: Place, interval: float, threshold: int, templates: dict[str, Place], left: list[str]) -> Check | None:
    name = place.at("name").text()
    limits = place.at("thresholdRange")
    least, most = (limits.at(end).number() if limits.at(end).content is not None else None for end in ("min", "max"))
    if place.at("threshold").content is not None and least is None and most is None:
        # The older form: at least for the success rate, at most for everything else.
        bound = place.at("threshold").number()
        least, most = (bound, None) if name == "request-success-rate" else (None, bound)
    if least is None and most is None:
        left.append(f"metric {name} has no range to be checked")
        return None
    window = place.at("interval").seconds() if place.at("interval").content is not None else interval
    measure, query = _BUILT_IN.get(name, ""), place.at("query").text()
    if not measure and not query:
        query = _templated(place, templates, left)
        if not query:
            return None
    placed = _variables(query, name, window, left) if query else ""
    if placed is None:
        return None
    return Check(name, measure, placed, least, most, max(window, 1.0), max(threshold - 1, 0))


def _templated(place: Place, templates: dict[str, Place], left: list[str]) -> str:
    name, wanted = place.at("name").text(), place.at("templateRef").at("name").text()
    template = templates.get(wanted)
    if template is None:
        left.append(f"metric {name}: its template {wanted!r} is not in the file")
        return ""
    provider = template.at("spec").at("provider").at("type").text()
    if provider != "prometheus":
        left.append(f"metric {name}: {provider} is not asked; only what Pilothouse keeps is")
        return ""
    return template.at("spec").at("query").text()


def _variables(query: str, name: str, window: float, left: list[str]) -> str | None:
    known = {"interval": f"{window:.0f}s", "target": "{{service}}", "service": "{{service}}", "name": "{{service}}"}
    for variable, text in known.items():
        query = query.replace(f"{{{{ {variable} }}}}", text).replace(f"{{{{{variable}}}}}", text)
    rest = query.replace("{{service}}", "")
    if "{{" in rest:
        unknown = rest.partition("{{")[2].partition("}}")[0].strip()
        left.append(f"metric {name}: the variable {unknown!r} is not known")
        return None
    return query
