"""Lighthouse's `image: uses:...`: steps that are inherited from a task of another file, and overridden here.

    stepTemplate: {image: "uses:acme/catalog/tasks/go/release.yaml@v3"}
    steps:
    - image: uses:acme/catalog/tasks/git/clone.yaml@v3   # all steps of that task
    - name: build                                        # the step of that name; the template says from where
    - {name: test, script: make test}                    # the same, with another script

Source: Jenkins X, "Editing pipelines" and "Catalog" (https://jenkins-x.io/v3/develop/pipelines/), and
jenkins-x/lighthouse, `pkg/triggerconfig/inrepo`. What is said here wins over what is inherited.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from pilothouse.delivery.pipelines.documents import Document, read_text
from pilothouse.delivery.pipelines.errors import PipelineError, ResolveError

PREFIX = "uses:"
_DEEPEST = 5
_MOST_STEPS = 200
# From `OWNER/NAME/PATH@REF`, an address or a path in the repository to the file's text. Raises `ResolveError`.
Read = Callable[[str], str]


def inherits(document: Document) -> bool:
    """Whether a document has steps from elsewhere."""
    return any(_places(spec) for spec in _specs(document))


def inherited(document: Document, read: Read) -> Document:
    """The document with all steps in it. Raises `ResolveError` that names what could not be found."""
    if not inherits(document):
        return document
    whole = replace(document, body=copy.deepcopy(document.body))
    for spec in _specs(whole):
        _filled(spec, read, 0)
    return whole


def parted(place: str) -> tuple[str, str, str]:
    """Repository, path and ref of `OWNER/NAME/PATH@REF`; repository and ref are empty for a path that is here.

    Raises `ResolveError`.
    """
    path, at, ref = place.partition("@")
    if not at:
        return "", path.removeprefix("./"), ""
    parts = path.split("/")
    if len(parts) < 3 or not all(parts) or ".." in parts:
        raise ResolveError(f"uses:{place}: write uses:OWNER/NAME/PATH@REF")
    if ref == "versionStream":
        raise ResolveError(f"uses:{place}: there is no version stream here; name a branch, a tag or a commit")
    return "/".join(parts[:2]), "/".join(parts[2:]), "" if ref == "HEAD" else ref


def _filled(spec: dict[str, Any], read: Read, depth: int) -> None:
    """Put the steps from elsewhere into a TaskSpec."""
    if depth > _DEEPEST:
        raise ResolveError(f"steps are inherited through more than {_DEEPEST} files")
    template = spec.get("stepTemplate") or {}
    default = _place(template)
    if default:
        del template["image"]
    known: dict[str, dict[str, Any]] = {}
    steps: list[Any] = []
    for step in spec.get("steps") or []:
        place = _place(step) or ("" if step.get("image") or step.get("ref") else default)
        if not place:
            steps.append(step)
            continue
        if place not in known:
            known[place] = _task(place, read)
            _filled(known[place], read, depth + 1)
            _merged(spec, known[place])
        steps += _chosen(step, known[place].get("steps") or [], place)
        if len(steps) > _MOST_STEPS:
            raise ResolveError(f"more than {_MOST_STEPS} steps")
    spec["steps"] = steps


def _chosen(step: dict[str, Any], there: list[dict[str, Any]], place: str) -> list[dict[str, Any]]:
    own = {key: value for key, value in step.items() if not (key == "image" and str(value).startswith(PREFIX))}
    name = own.get("name")
    if not name:
        return [_over(one, own) for one in copy.deepcopy(there)]
    found = [one for one in there if one.get("name") == name]
    if not found:
        names = ", ".join(str(one.get("name")) for one in there) or "none"
        raise ResolveError(f"uses:{place}: has no step {name!r}; it has {names}")
    return [_over(copy.deepcopy(found[0]), own)]


def _over(inherited: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    made = {**inherited, **own}
    # Variables are added to, not replaced; a script takes the place of a command.
    if inherited.get("env") and own.get("env"):
        made["env"] = _by_name(own["env"], inherited["env"])
    if "script" in own:
        for key in {"command", "args"} - own.keys():
            made.pop(key, None)
    elif "command" in own:
        made.pop("script", None)
    return made


def _merged(spec: dict[str, Any], other: dict[str, Any]) -> None:
    """What the inherited steps need besides: parameters, workspaces, volumes, results, sidecars, the template."""
    for key in ("params", "workspaces", "volumes", "results", "sidecars"):
        if other.get(key):
            spec[key] = _by_name(spec.get(key) or [], other[key])
    template = other.get("stepTemplate")
    if template:
        spec["stepTemplate"] = _over(template, spec.get("stepTemplate") or {})


def _by_name(own: list[Any], more: list[Any]) -> list[Any]:
    names = {one.get("name") for one in own}
    return [*own, *(one for one in copy.deepcopy(more) if one.get("name") not in names)]


def _task(place: str, read: Read) -> dict[str, Any]:
    """The TaskSpec of a file: of its first object that has one."""
    try:
        documents = read_text(read(place), place)
    except ResolveError:
        raise
    except PipelineError as error:
        raise ResolveError(f"uses:{place}: {error}") from None
    for document in documents:
        for spec in _specs(document):
            return copy.deepcopy(spec)
    raise ResolveError(f"uses:{place}: there is no task with steps in it")


def _places(spec: dict[str, Any]) -> list[str]:
    holders = [spec.get("stepTemplate") or {}, *(spec.get("steps") or [])]
    return [place for one in holders if (place := _place(one))]


def _place(step: Any) -> str:
    image = step.get("image") if isinstance(step, dict) else None
    return image.removeprefix(PREFIX) if isinstance(image, str) and image.startswith(PREFIX) else ""


def _specs(document: Document) -> Iterator[dict[str, Any]]:
    """The TaskSpecs in a document."""
    spec = document.body.get("spec")
    if not isinstance(spec, dict):
        return
    found: list[Any]
    if document.kind == "Task":
        found = [spec]
    elif document.kind == "TaskRun":
        found = [spec.get("taskSpec")]
    else:
        inner = spec.get("pipelineSpec") if document.kind == "PipelineRun" else spec
        inner = inner if isinstance(inner, dict) else {}
        tasks = [*(inner.get("tasks") or []), *(inner.get("finally") or [])]
        found = [one.get("taskSpec") for one in tasks if isinstance(one, dict)]
    yield from (one for one in found if isinstance(one, dict) and isinstance(one.get("steps"), list))
