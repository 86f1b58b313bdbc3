"""Our own form of a plan.

service: checkout
selector: 'deployment_environment_name="production"'   # whose telemetry is judged; all of the service's when not said
candidate: 2.0.0          # found from the telemetry when not said; baseline likewise
traffic: {by: http, url: "http://127.0.0.1:9000/weights"}
steps:
  - {weight: 5, for: 10m, requests: 200, at_most: 1h, too_few: pause}    # too_few: or go_on
  - pause: 1h             # true: until somebody promotes
  - {weight: 50, for: 30m}
  - weight: 100
judge: {every: 1m, failures: 1, worse: rollback, cannot_tell: wait, patience: 1h}
checks:
  - {name: success rate, measure: success_rate, min: 99.5, failures: 2}
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from pilothouse.releases.rollout.document import Place
from pilothouse.releases.rollout.measures import MEASURES
from pilothouse.releases.rollout.plan import Check, Judging, Plan, Step, Traffic, WhenTooFew, WhenUnsure, WhenWorse

_KNOWN = ("service", "baseline", "candidate", "traffic", "steps", "judge", "checks", "selector")


def read(document: Place, overrides: Place) -> Plan:
    """The plan; raises `BadRequestError` that names the place."""
    document.only(*_KNOWN)
    return Plan(
        service=said(document, overrides, "service"),
        baseline=said(document, overrides, "baseline"),
        candidate=said(document, overrides, "candidate"),
        traffic=traffic(document, overrides),
        steps=tuple(_step(one) for one in document.at("steps").items()),
        checks=tuple(_check(one) for one in document.at("checks").items()),
        judging=_judging(document.at("judge")),
        selector=document.at("selector").text(),
    )


def said(document: Place, overrides: Place, name: str) -> str:
    """A text of the document, or what overrides it."""
    return overrides.at(name).text() or document.at(name).text()


def traffic(document: Place, overrides: Place) -> Traffic:
    """What shifts the traffic; nothing when nobody says."""
    place = overrides.at("traffic") if overrides.at("traffic").content else document.at("traffic")
    settings = dict(place.mapping())
    by = place.at("by").text("http" if "url" in settings else "")
    settings.pop("by", None)
    if by == "http":
        url = place.at("url").text()
        if not url.startswith(("http://", "https://")):
            raise place.at("url").wrong("write the hook's address, such as http://127.0.0.1:9000/weights")
        headers = place.at("headers").mapping()
        if not all(isinstance(text, str) for text in headers.values()):
            raise place.at("headers").wrong("must be a mapping of names to texts")
    return Traffic(by, settings)


def _step(place: Place) -> Step:
    place.only("weight", "for", "pause", "checks", "requests", "at_most", "too_few")
    if place.at("pause").content is not None:
        if place.at("weight").content is not None:
            raise place.wrong("give either weight (with for) or pause, not both")
        if place.at("requests").content is not None:
            raise place.at("requests").wrong("a pause waits for no requests; give the step a weight")
        waits = place.at("pause")
        return Step(None, None if waits.content is True else waits.seconds(), place.at("checks").flag(True))
    if place.at("weight").content is None:
        raise place.wrong("give weight (percent of the traffic) or pause")
    held = place.at("for")
    hold: float | None = 0.0
    if held.content is not None:
        hold = None if held.content == "promote" else held.seconds()
    step = Step(place.at("weight").whole(0, 100), hold, place.at("checks").flag(True))
    return _waiting(place, step)


def _waiting(place: Place, step: Step) -> Step:
    """The step with the requests that it waits for."""
    wanted = place.at("requests")
    if wanted.content is None:
        for name in ("at_most", "too_few"):
            if place.at(name).content is not None:
                raise place.at(name).wrong("says how to wait for requests; give requests too")
        return step
    if not step.weight or step.hold is None:
        raise wanted.wrong("a step without traffic, or until promoted, waits for no requests")
    too_few = place.at("too_few").text("pause")
    if too_few not in ("pause", "go_on"):
        raise place.at("too_few").wrong(f"{too_few!r} is not pause or go_on")
    at_most = place.at("at_most").seconds() if place.at("at_most").content is not None else None
    if at_most is not None and at_most < (step.hold or 0.0):
        raise place.at("at_most").wrong("is shorter than the step is held anyway (for)")
    return replace(step, requests=wanted.whole(1, 10**9), at_most=at_most, too_few=cast("WhenTooFew", too_few))


def _check(place: Place) -> Check:
    place.only("name", "measure", "query", "min", "max", "window", "failures")
    measure, query = place.at("measure").text(), place.at("query").text()
    if bool(measure) == bool(query):
        raise place.wrong(f"give either measure ({', '.join(MEASURES)}) or query (PromQL)")
    if measure and measure not in MEASURES:
        raise place.at("measure").wrong(f"{measure!r} is not {', '.join(MEASURES)}")
    least, most = (place.at(name).number() if place.at(name).content is not None else None for name in ("min", "max"))
    if least is None and most is None:
        raise place.wrong("give min, max or both")
    window = place.at("window").seconds() if place.at("window").content is not None else 60.0
    failures = place.at("failures").whole(0, 1000) if place.at("failures").content is not None else 0
    name = place.at("name").text() or measure or query[:60]
    return Check(name, measure, query, least, most, max(window, 1.0), failures)


def _judging(place: Place) -> Judging:
    if place.content is False:
        return Judging(ask=False)
    place.only("every", "failures", "worse", "cannot_tell", "patience")
    usual = Judging()

    def seconds(name: str, default: float) -> float:
        return max(place.at(name).seconds(), 1.0) if place.at(name).content is not None else default

    worse, unsure = place.at("worse").text(usual.worse), place.at("cannot_tell").text(usual.cannot_tell)
    if worse not in ("rollback", "pause"):
        raise place.at("worse").wrong(f"{worse!r} is not rollback or pause")
    if unsure not in ("wait", "pause", "go_on"):
        raise place.at("cannot_tell").wrong(f"{unsure!r} is not wait, pause or go_on")
    return Judging(
        every=seconds("every", usual.every),
        failures=place.at("failures").whole(1, 1000) if place.at("failures").content is not None else usual.failures,
        worse=cast("WhenWorse", worse),
        cannot_tell=cast("WhenUnsure", unsure),
        patience=seconds("patience", usual.patience),
    )
