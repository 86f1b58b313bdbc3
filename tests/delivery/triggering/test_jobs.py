"""Prow's and Lighthouse's jobs. Source: `docs/jobs` of kubernetes-sigs/prow, Lighthouse's TriggerConfig."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pilothouse.delivery.triggering import Change, Definition, Files, Occasion, build, read
from pilothouse.delivery.triggering.building import environment
from pilothouse.delivery.triggering.periodics import due
from pilothouse.delivery.triggering.remote import remote

PROW = """
presubmits:
- {name: unit, always_run: true, spec: {containers: [{image: go, command: [make], args: [test]}]}}
- {name: docs, run_if_changed: '^docs/', context: ci/docs, spec: {containers: [{image: go, command: [make]}]}}
- {name: code, skip_if_only_changed: '\\.md$', max_concurrency: 2, spec: {containers: [{image: go, command: [make]}]}}
- {name: old, always_run: true, branches: ['^release-'], spec: {containers: [{image: go, command: [make]}]}}
- name: e2e
  optional: true
  trigger: '(?m)^/e2e\\s*$'
  rerun_command: /e2e
  pipeline_run_spec: {pipelineSpec: {tasks: [{name: t, taskRef: {name: shared}}]}}
postsubmits:
- {name: publish, spec: {containers: [{image: go, command: [make]}]}}
- {name: site, run_if_changed: '^docs/', branches: [main], spec: {containers: [{image: go, command: [make]}]}}
periodics:
- {name: nightly, cron: '0 3 * * *', spec: {containers: [{image: go, command: [make]}]}}
- {name: often, interval: 10m, spec: {containers: [{image: go, command: [make]}]}}
- {name: rest, minimum_interval: 10m, spec: {containers: [{image: go, command: [make]}]}}
"""
TASK = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: shared}\nspec: {steps: [{name: s, image: b, script: 'true'}]}\n"
CODE = Occasion("pull_request", "acme/shop", revision="m", head="h", base="b", number=7, title="x; rm -rf /",
                source_branch="$(id)", files=Files(modified=("src/a.go",)))  # fmt: skip
DOCS = replace(CODE, files=Files(modified=("docs/a.md",)))


def prow() -> dict[tuple[str, str], Definition]:
    """The definitions by kind and name."""
    found = read({".prow.yaml": PROW, ".tekton/shared.yaml": TASK})
    assert not found.broken
    return {(one.kind, one.name): one for one in found.definitions}


@pytest.mark.parametrize(
    ("name", "occasion", "reason"),
    [
        ("unit", CODE, ""), ("docs", DOCS, ""), ("docs", CODE, "no changed file matches run_if_changed ^docs/"),
        ("code", CODE, ""), ("code", DOCS, "all changed files match skip_if_only_changed"),
        ("old", CODE, "it is for branches that match ^release-, not for main"),
        ("old", replace(CODE, target_branch="release-1"), ""),
        ("e2e", CODE, "it runs only when asked for: /e2e"),
    ],
)  # fmt: skip
def test_presubmits(name: str, occasion: Occasion, reason: str) -> None:
    said = prow()["presubmit", name].why_not(occasion)
    assert (reason in said) if reason else said == ""


def test_postsubmits_are_for_pushes() -> None:
    found = prow()
    push = replace(CODE, event="push", number=0)
    assert found["postsubmit", "publish"].why_not(push) == ""
    assert "run_if_changed" in found["postsubmit", "site"].why_not(push)
    assert "it is a postsubmit" in found["postsubmit", "publish"].why_not(CODE)
    assert "it is a presubmit" in found["presubmit", "unit"].why_not(push)


def test_a_pod_becomes_a_task_and_a_job_knows_its_refs() -> None:
    ready = build(prow()["presubmit", "unit"], CODE)
    assert ready.document.kind == "TaskRun"
    assert ready.document.body["spec"]["taskSpec"]["steps"] == [
        {"name": "test", "image": "go", "command": ["make"], "args": ["test"]}
    ]
    assert ready.environment["PULL_REFS"] == "main:b,7:h"
    assert ready.environment["JOB_NAME"] == "unit"
    # A stranger chose these: wherever they come to be part of a script, the engine refuses it.
    assert ready.untrusted == {"x; rm -rf /", "$(id)"}
    whole = build(prow()["presubmit", "e2e"], CODE)
    assert [one.name for one in whole.documents] == ["shared"]


def test_periodics() -> None:
    found = prow()
    midnight = 1_700_006_400.0  # 2023-11-15 00:00 UTC
    nightly, often, rest = (found["periodic", name] for name in ("nightly", "often", "rest"))
    assert not due(nightly, midnight, 0, midnight + 3600)
    assert due(nightly, midnight, 0, midnight + 3 * 3600)
    assert due(often, 0, 0, midnight)
    assert not due(often, midnight, 0, midnight + 599)
    assert due(often, midnight, 0, midnight + 600)
    assert not due(rest, midnight, 0, midnight + 9999)
    assert due(rest, midnight, midnight + 100, midnight + 700)
    with pytest.raises(ValueError, match="cron 'never'"):
        due(replace(nightly, schedule="cron: never"), midnight, 0, midnight)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{name: a b, spec: {containers: [{image: x}]}}", "name 'a b'"),
        (
            "{name: a, run_if_changed: a, skip_if_only_changed: b, spec: {containers: [{image: x}]}}",
            "exclude each other",
        ),
        ("{name: a, run_if_changed: '[', spec: {containers: [{image: x}]}}", "is not an expression"),
        ("{name: a}", "there is nothing to run"),
        ("{name: a, spec: {}}", "must have a container"),
        ("{name: a, spec: {volumes: []}}", "must have a container"),
        ("{name: a, branches: main, spec: {containers: [{image: x}]}}", "must be a list"),
        ("3", "each job must be a mapping"),
    ],
)
def test_a_wrong_job_is_named(entry: str, words: str) -> None:
    found = read({".prow.yaml": f"presubmits:\n- {entry}\n- {{name: good, spec: {{containers: [{{image: x}}]}}}}\n"})
    assert words in found.broken[0]
    assert [one.name for one in found.definitions] == ["good"]


def test_prows_central_form_is_by_repository() -> None:
    text = "presubmits:\n  acme/shop: [{name: a, spec: {containers: [{image: x}]}}]\n"
    assert [one.name for one in read({".prow.yaml": text}, "acme/shop").definitions] == ["a"]
    assert not read({".prow.yaml": text}, "acme/other").definitions


def test_lighthouse() -> None:
    trigger = """
apiVersion: config.lighthouse.jenkins-x.io/v1alpha1
kind: TriggerConfig
spec:
  presubmits:
  - {name: pr, context: pr, always_run: true, source: pr.yaml}
  - {name: gone, always_run: true, source: ../../secret.yaml}
  postsubmits:
  - {name: release, context: release, source: pr.yaml, branches: [main]}
"""
    found = read({".lighthouse/jenkins-x/triggers.yaml": trigger, ".lighthouse/jenkins-x/pr.yaml": TASK})
    assert [(one.kind, one.name, one.document.kind) for one in found.definitions] == [
        ("presubmit", "pr", "Task"), ("postsubmit", "release", "Task"),
    ]  # fmt: skip
    assert "secret.yaml: there is no such file" in found.broken[0]


async def _remote(annotation: str) -> list[str]:
    text = (
        "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata:\n  name: r\n  annotations:\n"
        "    pipelinesascode.tekton.dev/on-event: pull_request\n"
        "    pipelinesascode.tekton.dev/on-target-branch: main\n"
        f"    pipelinesascode.tekton.dev/task: '{annotation}'\n"
        "spec: {pipelineSpec: {tasks: [{name: t, taskRef: {name: shared}}]}}\n"
    )
    asked: list[tuple[str, object]] = []

    async def resolver(kind: str, params: dict[str, object]) -> object:
        from pilothouse.delivery.pipelines.documents import read_text

        asked.append((kind, params))
        return read_text(TASK)[0], {}

    found = read({".tekton/r.yaml": text}).definitions[0]
    resolvers = {"hub": resolver, "http": resolver}
    names = [one.name for one in await remote(found, resolvers, {"ci/t.yaml": TASK}.get)]  # type: ignore[arg-type]
    return [*names, *(str(params) for _, params in asked)]


def test_tasks_from_elsewhere() -> None:
    import asyncio

    from pilothouse.delivery.pipelines.errors import ResolveError

    found = asyncio.run(_remote("[git-clone:0.9, https://x.example/t.yaml, ci/t.yaml]"))
    assert found[:3] == ["shared"] * 3
    assert "'version': '0.9'" in found[3]
    assert "https://x.example/t.yaml" in found[4]
    with pytest.raises(ResolveError, match="no such file"):
        asyncio.run(_remote("[ci/other.yaml]"))


def test_what_the_merge_pool_tests_together_is_a_batch_as_prow_has_it() -> None:
    """Source: Prow's `docs/jobs`, "Job environment variables": a batch has the refs of all, and no number of one."""
    changes = (Change(7, "a" * 40, "ann", "one"), Change(9, "b" * 40, "bob", "two"))
    last = Occasion("pull_request", "acme/shop", revision="d" * 40, head="d" * 40, base="c" * 40, number=9, title="two")
    definition = prow()["presubmit", "unit"]
    several = environment(definition, replace(last, batch=changes))
    assert several["JOB_TYPE"] == "batch"
    assert several["PULL_REFS"] == f"main:{'c' * 40},7:{'a' * 40},9:{'b' * 40}"
    assert not {"PULL_NUMBER", "PULL_PULL_SHA", "PULL_TITLE", "PULL_HEAD_REF"} & set(several)
    assert [one["number"] for one in json.loads(several["JOB_SPEC"])["refs"]["pulls"]] == [7, 9]
    one = environment(definition, replace(last, batch=changes[1:]))
    assert (one["JOB_TYPE"], one["PULL_NUMBER"], one["PULL_PULL_SHA"]) == ("presubmit", "9", "b" * 40)
    assert one["PULL_REFS"] == f"main:{'c' * 40},9:{'b' * 40}"
