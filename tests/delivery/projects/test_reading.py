"""`.pilothouse.yaml`: defaults, bounds, and errors that name the place."""

from __future__ import annotations

import pytest

from pilothouse.delivery.projects import ProjectError, read_project
from pilothouse.delivery.projects.project import PreviewPlan, Project, ReleasePlan


def test_an_empty_file_is_a_project_called_as_its_repository() -> None:
    assert read_project("", "acme/shop") == Project("shop", ReleasePlan(True, "v"), None)


def test_all_that_a_file_can_say() -> None:
    found = read_project(
        "service: shop\nrelease: {automatic: false, prefix: shop-v, after: [test]}\n"
        "preview: {command: run me, port: HTTP_PORT, ready: /ok, setup: make, start: 2m, life: 8h, memory: 1Gi,\n"
        "  processors: 2, processes: 64, environment: {A: 1}}\n"
    )
    assert found.release == ReleasePlan(False, "shop-v", ("test",))
    assert found.preview == PreviewPlan(
        "run me", "HTTP_PORT", "/ok", "make", {"A": "1"}, 120.0, 28_800.0, 1 << 30, 2.0, 64
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "the file: must be a mapping"),
        ("servce: shop", "servce: no such field"),
        ("service: ../x", "service: '../x' must be"),
        ("release: {automatic: often}", "release.automatic: must be true or false"),
        ("release: {prefix: '--upload-pack=x '}", "release.prefix"),
        ("preview: {}", "say which command"),
        ("preview: {command: x, port: '1; rm'}", "preview.port"),
        ("preview: {command: x, ready: http://evil}", "must be a path"),
        ("preview: {command: x, life: 1y}", "preview.life"),
        ("preview: {command: x, life: 1000d}", "at .*to 336h|from 1s to 336h"),
        ("preview: {command: x, memory: 1Ti}", "must be a size"),
        ("preview: {command: x, memory: 1}", "must be a size"),
        ("preview: {command: x, processes: 0}", "above 0"),
        ("preview: {command: x, processors: 1000}", "at most 8"),
        ("preview: {command: x, environment: {LD-PRELOAD: y}}", "no name of a variable"),
        ("preview: {command: x, environment: [a]}", "must be a mapping"),
        ("preview: {manifests: ../other}", "must be a path in the repository"),
        ("preview: {command: x", "is not YAML"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(ProjectError, match=said):
        read_project(text, "acme/shop")
