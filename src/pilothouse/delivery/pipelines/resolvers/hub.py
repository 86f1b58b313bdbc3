"""From Artifact Hub: `catalog`, `kind`, `name`, `version` (exact, or a constraint such as `>= 0.5.0`)."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.resolvers import needed, only
from pilothouse.delivery.pipelines.resolvers.http import get

_HUB = "https://artifacthub.io"
_CATALOGS = {
    "task": "tekton-catalog-tasks",
    "pipeline": "tekton-catalog-pipelines",
    "stepaction": "tekton-catalog-stepactions",
}
_CONSTRAINT = re.compile(r"(>=|<=|!=|==|=|>|<)?\s*v?([0-9][0-9A-Za-z.+-]*)")


async def resolve(kind: str, params: dict[str, Any]) -> tuple[Document, dict[str, Any]]:
    """A package of the hub. `PILOTHOUSE_ARTIFACT_HUB` names another hub."""
    name, version = needed(params, "name", "version")
    word = str(params.get("kind") or kind).lower()
    if str(params.get("type") or "artifact") != "artifact":
        raise ResolveError("the Tekton Hub is closed; use type artifact")
    catalog = str(params.get("catalog") or _CATALOGS.get(word, "tekton-catalog-tasks"))
    base = str(params.get("url") or os.environ.get("PILOTHOUSE_ARTIFACT_HUB") or _HUB).rstrip("/")
    package = f"{base}/api/v1/packages/tekton-{word}/{catalog}/{name}"
    if not re.fullmatch(r"[0-9]+\.[0-9]+(\.[0-9]+)?", version):
        version = _best(version, json.loads(await get(package)).get("available_versions") or [])
    exact = version if version.count(".") >= 2 else f"{version}.0"
    answer = json.loads(await get(f"{package}/{exact}"))
    text = (answer.get("data") or {}).get("manifestRaw") or ""
    if not text:
        raise ResolveError(f"{package}/{exact} has no manifest")
    return only(kind, text, f"{package}/{exact}"), {"uri": f"{package}/{exact}", "digest": {}, "entryPoint": ""}


def _best(constraint: str, available: list[dict[str, Any]]) -> str:
    """The newest version that fits all parts of a constraint."""
    parts = [_CONSTRAINT.fullmatch(part.strip()) for part in constraint.split(",")]
    if not all(parts):
        raise ResolveError(f"version {constraint!r} is neither a version nor a constraint such as '>= 0.5.0'")
    found = sorted((_numbers(str(one.get("version"))), str(one.get("version"))) for one in available)
    for numbers, version in reversed(found):
        if all(_fits(numbers, part[1] or "=", _numbers(part[2])) for part in parts if part):
            return version
    raise ResolveError(f"no version fits {constraint!r}")


def _numbers(version: str) -> tuple[int, ...]:
    found = [int(part) for part in re.findall(r"[0-9]+", version.partition("-")[0])[:3]]
    return (*found, *[0] * (3 - len(found)))


def _fits(one: tuple[int, ...], operator: str, other: tuple[int, ...]) -> bool:
    return {
        "=": one == other,
        "==": one == other,
        "!=": one != other,
        ">": one > other,
        "<": one < other,
        ">=": one >= other,
        "<=": one <= other,
    }[operator]
