"""Lighthouse's `image: uses:...`. Source: Jenkins X, "Editing pipelines" and "Catalog"."""

from __future__ import annotations

from typing import Any

import pytest

from pilothouse.delivery.pipelines import checking
from pilothouse.delivery.pipelines.documents import read_text
from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.triggering.inheriting import inherited, parted

GO = """
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata: {name: go}
spec:
  pipelineSpec:
    tasks:
    - name: from-build-pack
      taskSpec:
        params: [{name: VERSION, type: string, default: "1"}]
        volumes: [{name: cache, emptyDir: {}}]
        stepTemplate: {env: [{name: GOFLAGS, value: -mod=mod}], workingDir: /workspace/source}
        steps:
        - {name: build, image: golang, command: [make], args: [build], env: [{name: A, value: there}]}
        - {name: test, image: golang, script: make test}
"""
CLONE = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: c}\nspec: {steps: [{name: clone, image: git}]}\n"
AGAIN = CLONE.replace("image: git", "image: 'uses:acme/catalog/again.yaml@v1'")
TEXTS = {"acme/catalog/go.yaml@v1": GO, "local.yaml": CLONE, "acme/catalog/again.yaml@v1": AGAIN}


def read(place: str) -> str:
    if place not in TEXTS:
        raise ResolveError(f"uses:{place}: there is no such file")
    return TEXTS[place]


def steps(text: str, template: str = "") -> dict[str, Any]:
    """The TaskSpec of a task with such steps."""
    head = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n"
    if template:
        head += f"  stepTemplate: {{image: 'uses:{template}', env: [{{name: CI, value: 'yes'}}]}}\n"
    made = inherited(read_text(f"{head}  steps:\n{text}")[0], read)
    checking.require([made])
    spec: dict[str, Any] = made.body["spec"]
    return spec


def test_all_steps_of_another_task_with_what_they_need() -> None:
    spec = steps("  - {image: 'uses:local.yaml'}\n  - {image: 'uses:acme/catalog/go.yaml@v1'}\n")
    assert [one["name"] for one in spec["steps"]] == ["clone", "build", "test"]
    assert [one["name"] for one in spec["params"] + spec["volumes"]] == ["VERSION", "cache"]
    assert spec["stepTemplate"]["workingDir"] == "/workspace/source"


def test_what_is_said_here_wins() -> None:
    text = "  - {name: test}\n  - {name: build, script: make all, env: [{name: A, value: here}, {name: B, value: b}]}\n"
    spec = steps(text + "  - {name: own, image: busybox, script: 'true'}\n", "acme/catalog/go.yaml@v1")
    assert [one["name"] for one in spec["steps"]] == ["test", "build", "own"]
    build = spec["steps"][1]
    assert (build["image"], build["script"], "command" in build, "args" in build) == (
        "golang",
        "make all",
        False,
        False,
    )
    assert build["env"] == [{"name": "A", "value": "here"}, {"name": "B", "value": "b"}]
    assert "image" not in spec["stepTemplate"]
    assert [one["name"] for one in spec["stepTemplate"]["env"]] == ["CI", "GOFLAGS"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("  - {name: deploy, image: 'uses:acme/catalog/go.yaml@v1'}\n", "has no step 'deploy'; it has build, test"),
        ("  - {image: 'uses:acme/catalog/nope.yaml@v1'}\n", "there is no such file"),
        ("  - {image: 'uses:acme/catalog/again.yaml@v1'}\n", "through more than 5 files"),
    ],
)
def test_what_cannot_be_found_is_named(text: str, reason: str) -> None:
    with pytest.raises(ResolveError, match=reason):
        steps(text)


def test_places() -> None:
    assert parted("acme/catalog/tasks/go.yaml@v1") == ("acme/catalog", "tasks/go.yaml", "v1")
    assert parted("acme/catalog/tasks/go.yaml@HEAD") == ("acme/catalog", "tasks/go.yaml", "")
    assert parted("./local.yaml") == ("", "local.yaml", "")
    for wrong in ("acme/go.yaml@v1", "acme/catalog/../x.yaml@v1", "acme/catalog/go.yaml@versionStream"):
        with pytest.raises(ResolveError, match="uses:"):
            parted(wrong)
