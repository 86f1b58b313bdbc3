"""Tekton's admission rules: broken objects and their errors (`broken.yaml`), good ones without any, bad texts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.delivery.pipelines import Document, DocumentError, check, read_text
from pilothouse.delivery.pipelines.checking.shapes import SHAPES

_BROKEN = yaml.load((Path(__file__).parent / "broken.yaml").read_text(), yaml.CSafeLoader)
_BETA = ("StepAction", "CustomRun")


def _document(kind: str, spec: Any) -> Document:
    version = "tekton.dev/v1beta1" if kind in _BETA else "tekton.dev/v1"
    return Document({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": spec})


@pytest.mark.parametrize("entry", _BROKEN, ids=lambda entry: f"{entry['kind']}-{entry['errors'][0][:60]}")
def test_broken_objects_name_the_field(entry: dict[str, Any]) -> None:
    found = [str(error).partition("\n")[0] for error in check(_document(entry["kind"], entry["spec"]))]
    assert found == entry["errors"]


def test_there_are_many_broken_objects() -> None:
    assert len(_BROKEN) >= 150


@pytest.mark.parametrize(
    "text",
    [
        "steps: [{image: a, script: 'echo $(date) $(cat x) ${VAR} $((1+1))'}]",
        "steps: [{image: a, script: '$(params.x)'}]\nparams: [{name: x}]",
        "steps: [{image: a, args: ['$(params.x[*])', '$(params.x[0])']}]\nparams: [{name: x, type: array}]",
        "steps: [{image: a, script: '$(params.o.k)'}]\nparams: [{name: o, properties: {k: {}}}]",
        "steps: [{script: x}]\nstepTemplate: {image: a}",
        "steps: [{name: a, ref: {resolver: git, params: [{name: url, value: u}]}}]",
    ],
)
def test_good_tasks_have_no_errors(text: str) -> None:
    assert check(_document("Task", yaml.safe_load(text))) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not YAML"),
        ("a: 1\na: 2", "key 'a' is there twice"),
        ("- x", "expected an object"),
        ("just text", "expected an object"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
            "stands for more than",
        ),
        ("[" * 150 + "]" * 150, "deep"),
        ("a: !!python/object/apply:os.system [x]", "not YAML"),
    ],
)
def test_texts_that_are_no_objects(text: str, words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        read_text(text, "file.yaml")


def test_names_and_kinds() -> None:
    [document] = read_text(
        "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: Bad Name, labels: {a: 1}}\nspec: {steps: [{image: a}]}"
    )
    assert [error.paths for error in check(document)] == [("metadata.name",), ("metadata.labels.a",)]
    assert str(check(Document({"kind": "Task"}))[0]) == "missing field(s): apiVersion"
    assert "apiVersion" in str(
        check(Document({"kind": "Task", "apiVersion": "tekton.dev/v9", "metadata": {"name": "x"}}))[0]
    )


_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["$(params.x)", "$(tasks.a.results.b)"])
)
_trees = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(sorted({field for shape in SHAPES.values() for field in shape})), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=2000 if os.environ.get("PILOTHOUSE_THOROUGH") else 40, deadline=None)
@given(st.sampled_from(["Task", "Pipeline", "TaskRun", "PipelineRun", "StepAction", "CustomRun"]), _trees)
def test_no_tree_breaks_the_checker(kind: str, spec: Any) -> None:
    for error in check(_document(kind, spec)):
        assert error.message
