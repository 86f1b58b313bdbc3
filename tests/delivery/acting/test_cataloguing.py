"""Where inherited steps are read from: the job's forge, or beside the file that inherits them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pilothouse.delivery.acting.cataloguing import catalogued
from pilothouse.delivery.acting.target import Target
from pilothouse.delivery.forges import MissingError, Repository
from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.triggering import Definition, Occasion, build, read

TRIGGERS = """
apiVersion: config.lighthouse.jenkins-x.io/v1alpha1
kind: TriggerConfig
spec: {presubmits: [{name: pr, context: pr, always_run: true, source: pr.yaml}]}
"""
TASK = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n  steps:\n  - {name: NAME, image: IMAGE}\n"
THERE = {("acme/catalog", "go.yaml", "v1"): TASK.replace("IMAGE", "golang").replace("NAME", "build"),
         ("eve/secret", "go.yaml", "v1"): TASK.replace("IMAGE", "golang").replace("NAME", "leak")}  # fmt: skip


class Catalogs:
    """A forge with two repositories, one of them private."""

    name = "theirs"

    def repository(self, name: str) -> Repository:
        return Repository(name, private="secret" in name)

    def read_file(self, repository: str, path: str, ref: str = "") -> bytes:
        if (repository, path, ref) not in THERE:
            raise MissingError(f"{repository} has no {path}")
        return THERE[repository, path, ref].encode()


def defined(image: str) -> Definition:
    text = TASK.replace("name: NAME, ", "").replace("IMAGE", f"'uses:{image}'")
    found = read({".lighthouse/jx/triggers.yaml": TRIGGERS, ".lighthouse/jx/pr.yaml": text})
    assert not found.broken
    return found.definitions[0]


def steps(image: str) -> list[str]:
    forge, mirror, occasion = Catalogs(), None, Occasion("pull_request", "acme/shop", number=7)
    files = {".lighthouse/jx/local.yaml": TASK.replace("IMAGE", "busybox").replace("NAME", "here")}
    target = Target(forge, mirror, occasion, files.get)  # type: ignore[arg-type]
    made: Any = build(catalogued(defined(image), target), replace(occasion, revision="a" * 40)).document.body
    return [one["name"] for one in made["spec"]["steps"]]


def test_from_a_catalog_and_from_beside() -> None:
    assert steps("acme/catalog/go.yaml@v1") == ["build"]
    assert steps("lighthouse:acme/catalog/go.yaml@v1") == ["build"]
    assert steps("local.yaml") == ["here"]


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("acme/catalog/nope.yaml@v1", "on forge theirs: acme/catalog has no nope.yaml"),
        ("eve/secret/go.yaml@v1", "is private, and another owner's"),
        ("../../../../etc/passwd", "there is no such file in the repository"),
    ],
)
def test_what_may_not_be_read_is_said(image: str, reason: str) -> None:
    with pytest.raises(ResolveError, match=reason):
        steps(image)
