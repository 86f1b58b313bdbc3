"""A stranger's text does not become part of a script, whatever way it takes there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.delivery.pipelines.running import pipeline, run_yaml

EVIL = '"; touch /tmp/owned; echo "'
FOREIGN = frozenset({EVIL})
PARAM = f"params: [{{name: title, value: '{EVIL}'}}]"


@pytest.mark.parametrize(
    "tasks",
    [
        "- name: a\n  taskSpec: {steps: [{name: s, image: b, script: 'echo \"$(params.title)\"'}]}",
        "- name: a\n  taskSpec: {steps: [{name: s, image: b, command: [sh, -c, 'echo \"$(params.title)\"']}]}",
        # By another name, and by a result of a task that was allowed to have it.
        "- name: a\n  params: [{name: other, value: '$(params.title)'}]\n"
        "  taskSpec: {params: [{name: other}], steps: [{name: s, image: b, script: 'echo \"$(params.other)\"'}]}",
        "- name: a\n  taskSpec:\n    results: [{name: r}]\n    steps:\n    - {name: s, image: b, env: [{name: T, value: $(params.title)}], "
        "script: 'printf %s \"$T\" > $(results.r.path)'}\n"
        "- name: b\n  taskSpec: {steps: [{name: s, image: b, script: 'echo \"$(tasks.a.results.r)\"'}]}",
    ],
)
def test_it_is_refused(tasks: str, tmp_path: Path) -> None:
    happened = run_yaml(pipeline(tasks, run=PARAM, rest="params: [{name: title}]"), tmp_path, foreign=FOREIGN)
    assert not happened.run.condition.succeeded
    assert any(
        "somebody outside chose" in one["message"]
        for run in happened.run.children.values()  # type: ignore[union-attr]
        for one in run[-1].status["conditions"]
    )
    assert not Path("/tmp/owned").exists()


def test_as_a_variable_and_as_an_argument_it_is_only_a_text(tmp_path: Path) -> None:
    tasks = (
        "- name: a\n  taskSpec:\n    steps:\n"
        "    - {name: s, image: b, env: [{name: T, value: $(params.title)}], script: 'echo \"$T\"'}\n"
        "    - {name: t, image: b, command: [echo, $(params.title)]}\n"
    )
    happened = run_yaml(pipeline(tasks, run=PARAM, rest="params: [{name: title}]"), tmp_path, foreign=FOREIGN)
    assert happened.run.condition.succeeded
    assert happened.output() == f"{EVIL}\n{EVIL}\n"


def test_a_script_that_says_the_same_itself_is_its_own(tmp_path: Path) -> None:
    tasks = "- name: a\n  taskSpec: {steps: [{name: s, image: b, script: 'echo fix tests'}]}"
    assert run_yaml(pipeline(tasks), tmp_path, foreign=frozenset({"fix tests"})).run.condition.succeeded
