"""What the upstream project's examples rely on, each in YAML of our own (docs/reference/tekton-examples.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilothouse.delivery.pipelines import read_text, require
from tests.delivery.pipelines.running import pipeline, run_yaml, task


@pytest.mark.parametrize(
    ("step", "output"),
    [
        ("{image: 'bash:3.2', args: [echo, two words]}", "two words\n"),
        ("{image: bash, args: [-c, 'echo option']}", "option\n"),
        ("{image: 'docker.io/library/ubuntu@sha256:0f', args: [-c, 'echo its command takes them']}", "its command takes them\n"),
        ("{image: mirror.gcr.io/busybox, args: [-c, 'echo shell']}", "shell\n"),
        ("{image: python, args: [-c, 'print(6 * 7)']}", "42\n"),
        ("{image: maven, args: [echo, run as it is]}", "run as it is\n"),
    ],
)  # fmt: skip
def test_arguments_follow_what_the_image_would_run(tmp_path: Path, step: str, output: str) -> None:
    happened = run_yaml(task(f"- {step}"), tmp_path)
    assert (happened.reason, happened.output()) == ("Succeeded", output)


@pytest.mark.parametrize(("image", "same"), [("alpine", "yes\n"), ("docker.io/library/alpine:3.20", "yes\n")])
def test_env_sh_of_busybox_images_takes_double_equals(tmp_path: Path, image: str, same: str) -> None:
    script = '"#!/usr/bin/env sh\\nif [ a == a ]; then echo yes; fi"'
    assert run_yaml(task(f"- {{image: '{image}', script: {script}}}"), tmp_path).output() == same


def test_each_attempt_has_directories_of_its_own(tmp_path: Path) -> None:
    """What the attempt before left is removed beside the next one, and must not take its files along."""
    many = """
- name: unsteady
  retries: 4
  matrix: {params: [{name: n, value: ["0", "1", "2", "3", "4", "5"]}]}
  params: [{name: tried, value: $(context.task.retry-count)}]
  taskSpec:
    params: [{name: n}, {name: tried}]
    steps:
    - image: bash
      script: |
        test ! -e /workspace/mark || exit 9
        touch /workspace/mark
        mkdir -p /workspace/much; for i in 1 2 3 4 5 6 7 8; do : > /workspace/much/$i; done
        [ "$(params.tried)" = 4 ]
"""
    happened = run_yaml(pipeline(many), tmp_path)
    assert happened.reason == "Succeeded", happened.output()
    for child in happened.run.children["unsteady"]:  # type: ignore[union-attr]
        codes = [one["steps"][0]["terminated"]["exitCode"] for one in child.status["retriesStatus"]]
        assert codes == [1, 1, 1, 1]


def test_includes_of_a_matrix_have_conditions_and_names(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            """
- name: kinds
  taskSpec:
    results: [{name: wanted, type: array}]
    steps: [{image: bash, script: 'printf ''["arm"]'' > $(results.wanted.path)'}]
- name: build
  displayName: never shown
  matrix:
    include:
    - name: amd
      params: [{name: cpu, value: amd}]
      when: [{input: $(params.all), operator: in, values: ["true"]}]
    - name: arm
      params: [{name: cpu, value: arm}]
      when: [{input: arm, operator: in, values: ["$(tasks.kinds.results.wanted[*])"]}]
    - {name: any, params: [{name: cpu, value: any}]}
  taskSpec: {params: [{name: cpu}], steps: [{image: bash, script: echo $(params.cpu)}]}
- name: none
  matrix:
    include:
    - name: never
      params: [{name: cpu, value: x}]
      when: [{input: a, operator: in, values: [b]}]
  taskSpec: {params: [{name: cpu}], steps: [{image: bash, script: exit 1}]}
- {name: after, runAfter: [none], taskSpec: {steps: [{image: bash, script: echo after}]}}
""",
            run="params: [{name: all, value: 'false'}]",
        ),
        tmp_path,
    )
    assert [child.name for child in happened.run.children["build"]] == ["run-build-arm", "run-build-any"]  # type: ignore[union-attr]
    assert sorted(happened.output("build").split()) == ["any", "arm"]
    assert happened.skipped() == {
        "none": "Matrix Include When Expressions evaluated to false",
        "after": "Parent Tasks were skipped",
    }


def test_names_of_includes_that_are_no_names_leave_numbers(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            """
- name: build
  matrix:
    include:
    - {name: "On $(params.cpu)", params: [{name: cpu, value: one}]}
    - {name: "On $(params.cpu)!", params: [{name: cpu, value: two}]}
  taskSpec: {params: [{name: cpu}], steps: [{image: bash, script: ':'}]}
"""
        ),
        tmp_path,
    )
    assert [child.name for child in happened.run.children["build"]] == ["run-build-0", "run-build-1"]  # type: ignore[union-attr]
    shown = [one["displayName"] for one in happened.run.status["childReferences"]]
    assert shown == ["On one", "On two!"]


def test_inputs_params_is_an_old_word_for_params(tmp_path: Path) -> None:
    happened = run_yaml(
        task("- {image: bash, script: 'echo $(inputs.params.a)'}", "params: [{name: a, default: found}]"), tmp_path
    )
    assert happened.output() == "found\n"


def test_finally_takes_defaults_of_results_that_nobody_gave(tmp_path: Path) -> None:
    happened = run_yaml(
        """
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: named}
spec:
  results: [{name: r, type: array, default: [x, z]}]
  steps: [{image: bash, script: 'true'}]
---
"""
        + pipeline(
            """
- name: skipped
  when: [{input: a, operator: in, values: [b]}]
  taskSpec: {results: [{name: r, default: fallback}, {name: other}], steps: [{image: bash, script: 'true'}]}
- {name: also, when: [{input: a, operator: in, values: [b]}], taskRef: {name: named}}
""",
            """
finally:
- name: last
  params: [{name: p, value: $(tasks.skipped.results.r)}, {name: q, value: "$(tasks.also.results.r[1])"}]
  taskSpec: {params: [{name: p}, {name: q}], steps: [{image: bash, script: echo $(params.p) $(params.q)}]}
- name: without
  params: [{name: p, value: $(tasks.skipped.results.other)}]
  taskSpec: {params: [{name: p}], steps: [{image: bash, script: echo no}]}
""",
        ),
        tmp_path,
    )
    assert happened.output("last") == "fallback z\n"
    assert happened.skipped()["without"] == "Results were missing"


def test_contexts_that_nobody_knows_are_left_to_the_shell(tmp_path: Path) -> None:
    happened = run_yaml(
        task("- {image: bash, script: '#!/bin/sh\n\necho [$(context.other.thing 2>/dev/null)]'}"), tmp_path
    )
    assert happened.output() == "[]\n"
    with pytest.raises(Exception, match="non-existent variable"):
        require(read_text(task("- {image: bash, script: 'echo $(context.task.thing)'}")))


def test_a_step_parameter_that_nothing_stands_behind_leaves_the_default(tmp_path: Path) -> None:
    happened = run_yaml(
        """
apiVersion: tekton.dev/v1beta1
kind: StepAction
metadata: {name: tell}
spec:
  params: [{name: o, properties: {k: {}}, default: {k: kept}}]
  image: bash
  env: [{name: K, value: $(params.o.k)}]
  script: echo "$K"
---
"""
        + task(
            "- {name: s, ref: {name: tell}, params: [{name: o, value: '$(params.text[*])'}]}",
            run="params: [{name: text, value: plain}]",
        ),
        tmp_path,
    )
    assert happened.output() == "kept\n"


def test_what_a_run_says_of_resources_reaches_the_steps(tmp_path: Path) -> None:
    steps = """
- {name: a, image: bash, script: 'true', computeResources: {limits: {memory: 1Gi}, requests: {cpu: 10m}}}
- {image: bash, script: 'true'}
"""
    side = "sidecars: [{name: s, image: bash, script: sleep 60}]"
    each = run_yaml(
        task(
            steps,
            side,
            "stepSpecs: [{name: a, computeResources: {limits: {memory: 512Mi}}}, {name: unnamed-1, computeResources: {limits: {cpu: '1'}}}]\n"
            "sidecarSpecs: [{name: s, computeResources: {limits: {memory: 64Mi}}}]",
        ),
        tmp_path,
    ).run.status["taskSpec"]
    assert [one["computeResources"] for one in [*each["steps"], *each["sidecars"]]] == [
        {"limits": {"memory": "512Mi"}, "requests": {"cpu": "10m"}},
        {"limits": {"cpu": "1"}},
        {"limits": {"memory": "64Mi"}},
    ]
    whole = run_yaml(task(steps, run="computeResources: {limits: {memory: 2Gi}}"), tmp_path).run.status["taskSpec"]
    assert [one["computeResources"]["limits"] for one in whole["steps"]] == [{"memory": "2Gi"}, {"memory": "2Gi"}]


def test_specs_of_a_pipeline_run_reach_the_tasks_steps(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            "- {name: t, taskSpec: {steps: [{name: s, image: bash, script: 'true'}]}}",
            run="taskRunSpecs: [{pipelineTaskName: t, stepSpecs: [{name: s, computeResources: {limits: {memory: 512Mi}}}]}]",
        ),
        tmp_path,
    )
    assert happened.task("t").status["taskSpec"]["steps"][0]["computeResources"] == {"limits": {"memory": "512Mi"}}
