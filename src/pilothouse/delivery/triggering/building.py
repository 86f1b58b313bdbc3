"""A definition and an occasion become the objects that are run."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from pilothouse.delivery.pipelines import checking
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.triggering.definition import Definition
from pilothouse.delivery.triggering.occasion import Change, Occasion
from pilothouse.delivery.triggering.variables import UntrustedError, harmless, replaced

__all__ = ["Ready", "UntrustedError", "build", "environment"]


@dataclass(frozen=True, slots=True)
class Ready:
    """What is run: the run's document, what it may refer to, the values in it that strangers chose, and variables."""

    document: Document
    documents: tuple[Document, ...]
    untrusted: frozenset[str]
    environment: dict[str, str]


def build(definition: Definition, occasion: Occasion, more: tuple[Document, ...] = ()) -> Ready:
    """`more` are objects from elsewhere that it may refer to.

    Raises `UntrustedError` where a text from outside would become part of a script, `CelError`, and `InvalidError`
    (`PipelineError`) where what is made breaks Tekton's rules.
    """
    untrusted: set[str] = set()
    made = []
    for document in (definition.document, *definition.documents, *more):
        try:
            body, foreign = replaced(document.body, occasion)
        except UntrustedError as error:
            raise UntrustedError(f"{document.title}: {error}") from None
        untrusted |= foreign
        made.append(replace(document, body=_without_credentials(body)))
    checking.require(made)
    variables = environment(definition, occasion)
    untrusted |= {value for name, value in variables.items() if name in _FREE and not harmless(value)}
    return Ready(made[0], tuple(made[1:]), frozenset(untrusted), variables)


_FREE = frozenset({"PULL_TITLE", "PULL_HEAD_REF"})


def environment(definition: Definition, occasion: Occasion) -> dict[str, str]:
    """The variables that Prow gives to a job's processes (`docs/jobs`, "Job environment variables")."""
    # One change alone is tested in the merge pool as what it is anyway, as Tide does.
    kind = "batch" if len(occasion.batch) > 1 else definition.kind
    found = {
        "CI": "true", "JOB_NAME": definition.name, "JOB_TYPE": kind, "REPO_OWNER": occasion.owner,
        "REPO_NAME": occasion.name, "PULL_BASE_REF": occasion.target_branch, "PULL_BASE_SHA": occasion.base or
        occasion.revision,
    }  # fmt: skip
    refs = f"{occasion.target_branch}:{found['PULL_BASE_SHA']}"
    pulls: list[dict[str, Any]] = []
    if occasion.number:
        changes = occasion.batch or (Change(occasion.number, occasion.head, occasion.sender, occasion.title),)
        refs += "".join(f",{one.number}:{one.head}" for one in changes)
        pulls = [{"number": one.number, "author": one.author, "sha": one.head, "title": one.title} for one in changes]
        if kind != "batch":
            found |= {
                "PULL_NUMBER": str(occasion.number), "PULL_PULL_SHA": changes[0].head,
                "PULL_HEAD_REF": occasion.source_branch, "PULL_TITLE": occasion.title,
            }  # fmt: skip
    found["PULL_REFS"] = refs
    base = {"org": occasion.owner, "repo": occasion.name, "base_ref": occasion.target_branch,
            "base_sha": found["PULL_BASE_SHA"], "pulls": pulls}  # fmt: skip
    found["JOB_SPEC"] = json.dumps({"type": kind, "job": definition.name, "refs": base}, separators=(",", ":"))
    return found


def _without_credentials(body: dict[str, Any]) -> dict[str, Any]:
    """A workspace of the Secret that Pipelines-as-Code makes for cloning is left out: the code is there already."""
    spec = body.get("spec")
    if not isinstance(spec, dict) or not isinstance(spec.get("workspaces"), list):
        return body
    kept = [
        {"name": one["name"], "emptyDir": {}}
        if isinstance(one, dict) and str((one.get("secret") or {}).get("secretName", "")).startswith("pac-gitauth-")
        else one
        for one in spec["workspaces"]
    ]
    return {**body, "spec": {**spec, "workspaces": kept}}
