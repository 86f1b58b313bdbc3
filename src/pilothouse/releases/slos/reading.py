"""Objectives from YAML: OpenSLO (openslo/v1: SLO, and the SLIs and Services beside it), or a short form.

service: checkout
objectives:
  - availability: 99.9 %
  - {latency: 300ms, target: 95 %, operation: POST /checkout}
  - {name: queue, good: 'sum(rate(done[5m]))', total: 'sum(rate(taken[5m]))', target: 99}
window: 28d
"""

from __future__ import annotations

from pilothouse.releases.rollout.document import Place, documents
from pilothouse.releases.slos.objective import Objective
from pilothouse.signals.errors import BadRequestError

_DAYS = 28 * 86400.0
_OPERATORS = ("lt", "lte", "gt", "gte")


def read_objectives(text: str) -> list[Objective]:
    """All objectives of a text; raises `BadRequestError` that names the place."""
    found = documents(text, "slo")
    if not found:
        raise BadRequestError("slo: is empty", "slo")
    open_slo = [Place(one, field="slo") for one in found if str(one.get("apiVersion", "")).startswith("openslo/")]
    if open_slo:
        indicators = {_name(one): one.at("spec") for one in open_slo if one.at("kind").text() == "SLI"}
        made = [
            objective for one in open_slo if one.at("kind").text() == "SLO" for objective in _open_slo(one, indicators)
        ]
    else:
        made = [objective for one in found for objective in _short(Place(one, field="slo"))]
    if not made:
        raise BadRequestError("slo: no objective is in it", "slo")
    return made


def _short(document: Place) -> list[Objective]:
    document.only("service", "objectives", "window")
    service = document.at("service").text()
    if not service:
        raise document.at("service").wrong("say which service")
    window = document.at("window").seconds() if document.at("window").content is not None else _DAYS
    return [_objective(one, service, window) for one in document.at("objectives").items()]


def _objective(place: Place, service: str, window: float) -> Objective:
    place.only("name", "availability", "latency", "target", "operation", "good", "bad", "total")
    operation = place.at("operation").text()
    if place.at("availability").content is not None:
        name = place.at("name").text() or f"availability {operation}".strip()
        return Objective(name, service, "availability", _target(place.at("availability")), window, operation)
    target = _target(place.at("target"))
    if place.at("latency").content is not None:
        below = place.at("latency").seconds() * 1000
        name = place.at("name").text() or f"latency {operation}".strip()
        return Objective(name, service, "latency", target, window, operation, below)
    good, bad, total = (place.at(name).text() for name in ("good", "bad", "total"))
    if not total or bool(good) == bool(bad):
        raise place.wrong("give availability, latency, or total with good or bad (PromQL)")
    name = place.at("name").text() or "ratio"
    return Objective(name, service, "ratio", target, window, good=good, bad=bad, total=total)


def _target(place: Place) -> float:
    """A share: 99.9, `99.9 %` or 0.999."""
    value = place.number(0, 100)
    share = value / 100 if value > 1 else value
    if not 0 < share < 1:
        raise place.wrong(f"{value:g} must be between 0 and 100 %, without either")
    return share


def _open_slo(document: Place, indicators: dict[str, Place]) -> list[Objective]:
    spec = document.at("spec")
    indicator = spec.at("indicator").at("spec")
    if reference := spec.at("indicatorRef").text():
        if reference not in indicators:
            raise spec.at("indicatorRef").wrong(f"no SLI is called {reference!r} in the file")
        indicator = indicators[reference]
    windows = spec.at("timeWindow").items()
    window = _window(windows[0]) if windows else _DAYS
    goals = spec.at("objectives").items()
    return [
        _goal(document, goal, indicator, window, f"{_name(document)}{f' {place + 1}' if len(goals) > 1 else ''}")
        for place, goal in enumerate(goals)
    ]


def _goal(document: Place, goal: Place, indicator: Place, window: float, name: str) -> Objective:
    service = document.at("spec").at("service").text()
    percent = goal.at("targetPercent")
    target = percent.number(0, 100) / 100 if percent.content is not None else goal.at("target").number(0, 1)
    if not 0 < target < 1:
        raise goal.wrong("target must be between 0 and 1, without either")
    name = goal.at("displayName").text() or name
    ratio, threshold = indicator.at("ratioMetric"), indicator.at("thresholdMetric")
    if ratio.content is not None:
        good, bad, total = (_query(ratio.at(part)) for part in ("good", "bad", "total"))
        if not total or bool(good) == bool(bad):
            raise ratio.wrong("give total, and good or bad")
        return Objective(name, service, "ratio", target, window, good=good, bad=bad, total=total)
    if threshold.content is not None:
        operator = goal.at("op").text("lte")
        if operator not in _OPERATORS:
            raise goal.at("op").wrong(f"{operator!r} is not {', '.join(_OPERATORS)}")
        below = goal.at("value").number()
        query = _query(threshold)
        return Objective(name, service, "threshold", target, window, below=below, comparison=operator, good=query)
    raise indicator.wrong("give ratioMetric or thresholdMetric")


def _query(metric: Place) -> str:
    source = metric.at("metricSource")
    if metric.content is None:
        return ""
    kind = source.at("type").text("Prometheus")
    if kind.lower() != "prometheus":
        raise source.at("type").wrong(f"{kind} is not asked; only Prometheus' queries, on what Pilothouse keeps")
    query = source.at("spec").at("query").text()
    if not query:
        raise source.at("spec").wrong("query: give the PromQL")
    return query


def _window(place: Place) -> float:
    # OpenSLO knows months, quarters and years too: a rolling month is taken for thirty days.
    text = place.at("duration").text()
    longer = {"M": 30 * 86400.0, "Q": 91 * 86400.0, "Y": 365 * 86400.0}
    if text[-1:] in longer and text[:-1].isdigit():
        return int(text[:-1]) * longer[text[-1]]
    return max(place.at("duration").seconds(), 60.0)


def _name(document: Place) -> str:
    return document.at("metadata").at("name").text()
