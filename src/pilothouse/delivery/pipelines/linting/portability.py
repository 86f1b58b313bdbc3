"""Portability: what runs here and would fail, or mean something else, on a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.linting import Finding

_HOME = re.compile(r"(?<![\w.])(/home/[a-z][\w-]*|/Users/[A-Za-z][\w-]*|/root)/")
_LOCAL = re.compile(r"\b(localhost|127\.0\.0\.1):[0-9]+")
_DOCKER = re.compile(r"\b(docker|podman)\s+(build|run|push|pull)\b")
_ALPHA = ("pipelineRef", "pipelineSpec")


def findings(documents: Sequence[Document]) -> Iterator[Finding]:
    """All that is not portable in Tasks and Pipelines."""
    for document in documents:
        spec = document.body.get("spec") or {}
        for path, task in _tasks(document.kind, spec):
            yield from _task(document, path, task)
        for path, task in _pipeline_tasks(document.kind, spec):
            yield from _features(document, path, task)
        if document.kind == "Secret":
            yield from _secret(document)
        if document.kind == "PipelineRun" and not (document.body.get("metadata") or {}).get("generateName"):
            yield Finding(
                "fixed-run-name",
                "info",
                document.title,
                "metadata.name",
                "a second run with this name cannot be created",
                "use generateName",
            )


def _tasks(kind: str, spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if kind == "Task":
        yield "spec", spec
    elif kind == "TaskRun" and spec.get("taskSpec"):
        yield "spec.taskSpec", spec["taskSpec"]
    for path, task in _pipeline_tasks(kind, spec):
        if task.get("taskSpec") and task["taskSpec"].get("steps"):
            yield f"{path}.taskSpec", task["taskSpec"]


def _pipeline_tasks(kind: str, spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    inner = spec if kind == "Pipeline" else spec.get("pipelineSpec") or {} if kind == "PipelineRun" else {}
    prefix = "spec" if kind == "Pipeline" else "spec.pipelineSpec"
    for section in ("tasks", "finally"):
        for index, task in enumerate(inner.get(section) or []):
            yield f"{prefix}.{section}[{index}]", task


def _task(document: Document, path: str, spec: dict[str, Any]) -> Iterator[Finding]:
    for index, step in enumerate(spec.get("steps") or []):
        place = f"{path}.steps[{index}]"
        yield from _image(document, place, str(step.get("image") or ""))
        text = "\n".join(
            [str(step.get("script") or ""), *map(str, step.get("command") or []), *map(str, step.get("args") or [])]
        )
        yield from _text(document, place, text)
        if not step.get("script") and not step.get("command") and step.get("image") and step.get("args") is None:
            yield Finding(
                "entrypoint-only", "info", document.title, place, "only the image knows what this step runs",
                "give it a command, so that it runs without its image too",
            )  # fmt: skip


def _image(document: Document, place: str, image: str) -> Iterator[Finding]:
    if not image or "$(" in image or "@sha256:" in image:
        return
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    if tag in ("", "latest"):
        yield Finding(
            "floating-image", "warning", document.title, f"{place}.image", f"{image} is another image tomorrow",
            "name a version, or better a digest",
        )  # fmt: skip


def _text(document: Document, place: str, text: str) -> Iterator[Finding]:
    rules = (
        ("home-directory", "error", _HOME, "is a place on this machine, not in an image", "use a workspace"),
        (
            "local-port",
            "warning",
            _LOCAL,
            "is this machine here, and the pod itself on a cluster",
            "use a Service's name, or a sidecar",
        ),
        (
            "container-daemon",
            "warning",
            _DOCKER,
            "needs a container daemon, which a pod does not have",
            "use buildah, kaniko or ko",
        ),
    )
    for rule, severity, pattern, words, advice in rules:
        if found := pattern.search(text):
            yield Finding(rule, severity, document.title, place, f"{found[0]} {words}", advice)
    first = text.lstrip().partition("\n")[0]
    if "[[" in text and (not first.startswith("#!") or first.strip() == "#!/bin/sh"):
        yield Finding(
            "bashism",
            "warning",
            document.title,
            place,
            "[[ is not in every sh: Debian's takes it for a missing program",
            "begin the script with #!/usr/bin/env bash, or write [",
        )


def _features(document: Document, path: str, task: dict[str, Any]) -> Iterator[Finding]:
    for field in _ALPHA:
        if task.get(field) is not None:
            yield Finding(
                "alpha-feature",
                "warning",
                document.title,
                f"{path}.{field}",
                f"{field} needs enable-api-fields: alpha",
                "switch it on in Tekton's feature flags, or do without",
            )
    if any(one.get("cel") for one in task.get("when") or []):
        yield Finding(
            "alpha-feature",
            "warning",
            document.title,
            f"{path}.when",
            "CEL needs enable-cel-in-whenexpression",
            "switch it on in Tekton's feature flags, or use input, operator and values",
        )


def _secret(document: Document) -> Iterator[Finding]:
    if document.body.get("stringData") or document.body.get("data"):
        yield Finding(
            "secret-in-file", "warning", document.title, "data", "a secret's value stands in this file",
            "keep it out of the repository: seal it, or let an operator make it",
        )  # fmt: skip
