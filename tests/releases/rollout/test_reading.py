"""Plans from files: our own form, and what maps of Flagger's, Argo's and Kayenta's."""

from __future__ import annotations

import pytest

from pilothouse.releases.rollout.plan import Check, Judging, Plan, Step
from pilothouse.releases.rollout.reading import read_plan
from pilothouse.signals.errors import BadRequestError

HOOK = {"traffic": {"by": "http", "url": "http://127.0.0.1:9000/weights"}}
OWN = """
service: checkout
candidate: 2.0.0
traffic: {by: http, url: "http://127.0.0.1:9000/weights"}
steps:
  - {weight: 5, for: 10m}
  - pause: true
  - {weight: 50, for: 1h30m, checks: false}
judge: {every: 30s, failures: 2, worse: pause, cannot_tell: go_on, patience: 2h}
checks:
  - {name: success, measure: success_rate, min: 99.5 %, failures: 2}
  - {query: 'sum(rate(errors{service="{{service}}"}[1m]))', max: 3, window: 2m}
"""


def test_our_own_form() -> None:
    plan = read_plan(OWN)
    assert plan.steps == (Step(5, 600.0), Step(None, None), Step(50, 5400.0, checks=False), Step(100))
    assert plan.judging == Judging(True, 30.0, 2, "pause", "go_on", 7200.0)
    assert plan.checks[0] == Check("success", "success_rate", "", 99.5, None, 60.0, 2)
    assert (plan.checks[1].most, plan.checks[1].window) == (3.0, 120.0)
    assert [step.words for step in plan.steps] == [
        "5 % of the traffic for 10m", "pause until promoted", "50 % of the traffic for 90m", "100 % of the traffic",
    ]  # fmt: skip
    assert Plan.from_json(plan.to_json()) == plan


def test_a_step_may_wait_for_requests() -> None:
    text = OWN.replace("{weight: 5, for: 10m}", "{weight: 5, for: 10m, requests: 60, at_most: 1h, too_few: go_on}")
    step = read_plan(text).steps[0]
    assert (step.requests, step.at_most, step.too_few) == (60, 3600.0, "go_on")
    assert step.words == "5 % of the traffic for 10m and 60 requests, at most 1h"
    assert Plan.from_json(read_plan(text).to_json()) == read_plan(text)
    given = read_plan(text, {"requests": 500}).steps
    assert [one.requests for one in given] == [60, 0, 0, 0], "an unchecked step, a pause and the last one wait for none"
    assert read_plan(OWN, {"requests": 500}).steps[0].requests == 500


def test_a_selector_narrows_what_is_judged() -> None:
    assert read_plan(OWN).selector == ""
    assert read_plan(OWN + 'selector: env="a"\n').selector == 'env="a"'
    assert read_plan(OWN + 'selector: env="a"\n', {"selector": 'env="b"'}).selector == 'env="b"'
    plan = read_plan(OWN, {"selector": 'env="b"'})
    assert Plan.from_json(plan.to_json()) == plan
    with pytest.raises(BadRequestError, match="plan: selector: expected label"):
        read_plan(OWN + "selector: '= production'\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("weight: 5", "weight: 500"), r"steps\[0\]\.weight: 500 is not between 0 and 100"),
        (("for: 10m", "for: ten"), r"steps\[0\]\.for: 'ten' is not a duration"),
        (("service: checkout", "kind: Deployment"), "kind: 'Deployment' is not read; Flagger's Canary"),
        (("weight: 5", "wieght: 5"), r"steps\[0\]: 'wieght' is not known; known are weight, for"),
        (("for: 10m", "for: promote, requests: 5"), r"steps\[0\]\.requests: a step without traffic, or until promoted"),
        (("for: 10m", "for: 10m, requests: 0"), r"steps\[0\]\.requests: 0 is not between 1"),
        (("for: 10m", "for: 10m, at_most: 1h"), r"steps\[0\]\.at_most: says how to wait for requests"),
        (("for: 10m", "for: 10m, requests: 5, at_most: 1m"), r"steps\[0\]\.at_most: is shorter than"),
        (("for: 10m", "for: 10m, requests: 5, too_few: cry"), r"steps\[0\]\.too_few: 'cry' is not pause or go_on"),
        (("- pause: true", "- {pause: true, requests: 5}"), r"steps\[1\]\.requests: a pause waits for no requests"),
        (("by: http", "by: http, x: &a 1, y: *a"), "aliases"),
        (("measure: success_rate", "measure: happiness"), r"checks\[0\]\.measure: 'happiness' is not success_rate"),
        (("min: 99.5 %, ", ""), r"checks\[0\]: give min, max or both"),
        (("worse: pause", "worse: panic"), r"judge\.worse: 'panic' is not rollback or pause"),
        (("http://127", "ftp://127"), r"traffic\.url: write the hook's address"),
        (("service: checkout", "service:"), "service: say which service"),
        (("steps:", "steps: 5\nx:"), "'x' is not known"),
        (("service: checkout", "service: [checkout"), "is not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change: tuple[str, str], words: str) -> None:
    with pytest.raises(BadRequestError, match=words):
        read_plan(OWN.replace(*change))


def test_nothing_and_lists_are_refused() -> None:
    for text in ("", "- a", "5", "\0"):
        with pytest.raises(BadRequestError, match="plan: "):
            read_plan(text)


FLAGGER = """
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: podinfo, namespace: test}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}
  progressDeadlineSeconds: 60
  analysis:
    interval: 1m
    threshold: 5
    maxWeight: 50
    stepWeight: 20
    metrics:
      - {name: request-success-rate, thresholdRange: {min: 99}, interval: 1m}
      - {name: request-duration, thresholdRange: {max: 500}, interval: 30s}
      - {name: not-found, templateRef: {name: not-found}, thresholdRange: {max: 5}, interval: 1m}
      - {name: elsewhere, templateRef: {name: datadog}, thresholdRange: {max: 5}}
    webhooks:
      - {name: load-test, url: http://loadtester/}
---
apiVersion: flagger.app/v1beta1
kind: MetricTemplate
metadata: {name: not-found}
spec:
  provider: {type: prometheus, address: "http://prometheus:9090"}
  query: '100 * sum(rate(http_requests{app="{{ target }}",status="404"}[{{ interval }}]))'
---
apiVersion: flagger.app/v1beta1
kind: MetricTemplate
metadata: {name: datadog}
spec: {provider: {type: datadog}, query: x}
"""


def test_a_canary_of_flaggers_without_weights_is_refused() -> None:
    """A/B testing: all of the traffic at once is the last that was meant."""
    text = FLAGGER.replace("    maxWeight: 50\n    stepWeight: 20\n", "    iterations: 10\n")
    with pytest.raises(BadRequestError, match=r"spec\.analysis: has neither stepWeight nor stepWeights"):
        read_plan(text, HOOK)


def test_flaggers_canary() -> None:
    plan = read_plan(FLAGGER, HOOK)
    assert plan.service == "podinfo"
    assert [(step.weight, step.hold) for step in plan.steps] == [(20, 60.0), (40, 60.0), (100, 0.0)]
    assert [(one.name, one.measure, one.least, one.most, one.window, one.failures) for one in plan.checks] == [
        ("request-success-rate", "success_rate", 99.0, None, 60.0, 4),
        ("request-duration", "duration_p99", None, 500.0, 30.0, 4),
        ("not-found", "", None, 5.0, 60.0, 4),
    ]
    assert plan.checks[2].query == '100 * sum(rate(http_requests{app="{{service}}",status="404"}[60s]))'
    said = "\n".join(plan.not_mapped)
    for words in ("webhooks are not called", "datadog is not asked", "no deadline", "in a row"):
        assert words in said


ARGO = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: guestbook}
spec:
  strategy:
    canary:
      trafficRouting: {istio: {}}
      analysis:
        templates: [{templateName: success-rate}]
        args: [{name: service-name, value: guestbook.default}]
      steps:
        - setWeight: 20
        - pause: {duration: 10m}
        - setCanaryScale: {replicas: 3}
        - setWeight: 40
        - pause: {}
        - analysis: {templates: [{templateName: latency}]}
        - pause: {duration: 30}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: success-rate}
spec:
  args: [{name: service-name}]
  metrics:
    - name: success-rate
      interval: 5m
      successCondition: result[0] >= 0.95
      failureLimit: 3
      provider: {prometheus: {address: "http://p:9090", query: 'sum(ok{s="{{args.service-name}}"})'}}
    - name: by-web
      successCondition: result == 1
      provider: {web: {url: "http://x"}}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: latency}
spec:
  metrics:
    - {name: p99, failureCondition: "result > 500 || result < 1", provider: {prometheus: {query: p99}}}
    - {name: odd, successCondition: "all(result, # > 1)", provider: {prometheus: {query: odd}}}
"""


def test_argos_rollout() -> None:
    plan = read_plan(ARGO, HOOK | {"candidate": "v2"})
    assert (plan.service, plan.candidate) == ("guestbook", "v2")
    assert [(step.weight, step.hold) for step in plan.steps] == [
        (20, 600.0), (40, None), (None, 30.0), (100, 0.0),
    ]  # fmt: skip
    checks = {one.name: one for one in plan.checks}
    assert (checks["success-rate"].least, checks["success-rate"].failures) == (0.95, 3)
    assert checks["success-rate"].query == 'sum(ok{s="guestbook.default"})'
    assert (checks["p99"].least, checks["p99"].most) == (1.0, 500.0)
    said = "\n".join(plan.not_mapped)
    for words in ("setCanaryScale", "by-web: web is not asked", "odd: its condition is more", "trafficRouting"):
        assert words in said


def test_kayentas_config() -> None:
    config = """{"name": "c", "applications": ["shop"], "configVersion": "1", "judge": {"name": "NetflixACAJudge-v1.0"},
      "metrics": [
        {"name": "cpu", "query": {"type": "prometheus",
           "customInlineTemplate": "PromQL:sum(rate(cpu{version='${scope}'}[1m]))"},
         "analysisConfigurations": {"canary": {"direction": "increase", "effectSize": {"allowedIncrease": 1.1}}}},
        {"name": "atlas", "query": {"type": "atlas", "q": "x"}}],
      "classifier": {"groupWeights": {"a": 100}, "scoreThresholds": {"pass": 95, "marginal": 75}}}"""
    plan = read_plan(config, HOOK)
    assert plan.service == "shop"
    (cpu,) = plan.checks
    assert (cpu.against, cpu.allowed, cpu.least) == ("increase", (1.1, 1.0), 1.0)
    assert cpu.query == "sum(rate(cpu{version='{{version}}'}[1m]))"
    said = "\n".join(plan.not_mapped)
    for words in ("atlas is not asked", "stricter", "has no steps"):
        assert words in said
    assert Plan.from_json(plan.to_json()) == plan


def test_without_a_shifter_nothing_starts() -> None:
    with pytest.raises(BadRequestError, match="say what shifts the traffic"):
        read_plan(FLAGGER)
