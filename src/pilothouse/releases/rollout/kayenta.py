"""Spinnaker's canary config for Kayenta, as far as it maps.

Its metrics map where they are PromQL: each is asked for both versions and compared as Kayenta's judge does
(`statistics/kayenta`). Weights of groups and scores do not: every metric must pass by itself, which is stricter.
"""

from __future__ import annotations

from typing import Any

from pilothouse.releases.rollout import own
from pilothouse.releases.rollout.document import Place
from pilothouse.releases.rollout.plan import Check, Judging, Plan, Step

_STEPS = (Step(10, 600.0), Step(50, 600.0), Step(100))
_VARIABLES = ("${scope}", "${location}")


def read(config: dict[str, Any], overrides: Place) -> Plan:
    """The plan: a tenth, a half, all of the traffic, ten minutes each, as the config has no steps of its own."""
    place, left = Place(config), list[str]()
    left.append("the config has no steps: 10 % and 50 % of the traffic are held for ten minutes each")
    if place.at("classifier").content:
        left.append("group weights and score thresholds: every metric must pass by itself, which is stricter")
    applications = place.at("applications").items()
    service = overrides.at("service").text() or (applications[0].text() if applications else "")
    checks = [_check(one, place, left) for one in place.at("metrics").items()]
    return Plan(
        service=service,
        baseline=overrides.at("baseline").text(),
        candidate=overrides.at("candidate").text(),
        traffic=own.traffic(Place({}), overrides),
        steps=_STEPS,
        checks=tuple(check for check in checks if check),
        judging=Judging(),
        not_mapped=tuple(dict.fromkeys(left)),
    )


def _check(metric: Place, config: Place, left: list[str]) -> Check | None:
    name, query = metric.at("name").text(), metric.at("query")
    kind = query.at("type").text() or query.at("serviceType").text()
    if kind != "prometheus":
        left.append(f"metric {name}: {kind or 'its source'} is not asked; only what Pilothouse keeps is")
        return None
    text = query.at("customInlineTemplate").text().removeprefix("PromQL:").strip()
    if template := query.at("customFilterTemplate").text():
        text = config.at("templates").at(template).text()
    if not any(variable in text for variable in _VARIABLES):
        left.append(f"metric {name}: its query does not say where the version stands (${{scope}})")
        return None
    canary = metric.at("analysisConfigurations").at("canary")
    direction = canary.at("direction").text("either")
    if direction not in ("increase", "decrease", "either"):
        raise canary.at("direction").wrong(f"{direction!r} is not increase, decrease or either")
    effect = canary.at("effectSize")
    allowed = [
        effect.at(end).number() if effect.at(end).content is not None else 1.0
        for end in ("allowedIncrease", "allowedDecrease")
    ]
    return Check(
        name, "", text.replace("${scope}", "{{version}}").replace("${location}", ""), 1.0, None, 600.0, 0,
        against=direction, allowed=(allowed[0], allowed[1]),
    )  # fmt: skip
