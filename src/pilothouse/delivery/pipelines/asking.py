"""What a person asks for on the command line, as a run: parameters, workspaces, where steps run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines import engine
from pilothouse.delivery.pipelines.checking.params import type_of
from pilothouse.delivery.pipelines.documents import Document, read_files
from pilothouse.delivery.pipelines.engine import Run
from pilothouse.delivery.pipelines.errors import DocumentError
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.volumes import claimed

# Where a project keeps its pipelines, when no file is named.
PLACES = (".tekton", "tekton", "pilothouse.yaml", "ci.yaml")
# The workspace that most likely is the code, where a pipeline has several.
_CODE = ("source", "src", "code", "repo", "repository", "shared-data", "shared-workspace", "workspace", "git-source")
_SOURCES: dict[str, Callable[[str], dict[str, Any]]] = {
    "claimName": lambda value: {"persistentVolumeClaim": {"claimName": value}},
    "emptyDir": lambda value: {"emptyDir": {"medium": value} if value else {}},
    "config": lambda value: {"configMap": {"name": value}},
    "secret": lambda value: {"secret": {"secretName": value}},
    "path": lambda value: {"hostPath": {"path": str(Path(value).resolve())}},
}


@dataclass(slots=True)
class Ask:
    """One request to run something, in the words of the command line."""

    files: Sequence[Path] = ()
    wanted: str = ""
    params: Sequence[str] = ()
    workspaces: Sequence[str] = ()
    labels: Sequence[str] = ()
    timeout: str = ""
    name: str = ""
    prefix: str = ""
    account: str = ""
    here: Path = field(default_factory=Path.cwd)


@dataclass(slots=True)
class Asked:
    """A run ready to go, the documents that it may refer to, and what was assumed on the way."""

    document: Document
    documents: list[Document]
    run: Run
    notes: list[str]
    directory: str = "/workspace"


def documents(files: Sequence[Path]) -> list[Document]:
    """The objects of the files, or of the places where projects keep them. Raises `DocumentError`."""
    found = list(files) or [Path(place) for place in PLACES if Path(place).exists()]
    if not found:
        raise DocumentError(f"say which file: there is no {', '.join(PLACES)} here")
    return read_files(found)


def runs(ask: Ask, found: list[Document]) -> list[Asked]:
    """The runs that are asked for. Raises `DocumentError` for what is not understood."""
    return [one(ask, document, found) for document in engine.choose(found, ask.wanted)]


def one(ask: Ask, document: Document, found: list[Document]) -> Asked:
    """One run of one document."""
    run = engine.to_run(document, ask.name)
    notes: list[str] = []
    spec = _spec(document, run, found)
    run.spec["params"] = params(ask.params, spec.get("params") or [], run.spec.get("params") or [])
    bindings = [*(workspace(text) for text in ask.workspaces)]
    given = {one["name"] for one in bindings}
    bindings = [*(one for one in run.spec.get("workspaces") or [] if one["name"] not in given), *bindings]
    if document.kind in ("Pipeline", "Task"):
        bindings = _assumed(bindings, spec.get("workspaces") or [], ask.here, notes)
    run.spec["workspaces"] = claimed(bindings, run.uid) if isinstance(run, TaskRun) else bindings
    run.labels |= dict(pair.split("=", 1) for pair in ask.labels if "=" in pair)
    if ask.timeout:
        _timeout(run, ask.timeout)
    # The code is where the person stands: a task without workspaces works there.
    bare = document.kind in ("Pipeline", "Task") and not spec.get("workspaces")
    directory = str(ask.here) if bare else "/workspace"
    if bare:
        notes.append(f"no workspaces: steps run in {ask.here}")
    return Asked(document, found, run, notes, directory)


def params(texts: Iterable[str], declared: list[dict[str, Any]], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`k=v` by the declared type: `k=a,b` for an array, `k=a:1,b:2` for an object. Raises `DocumentError`."""
    types = {one["name"]: type_of(one) for one in declared}
    found = {one["name"]: one for one in given}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise DocumentError(f"--param {text!r}: must be NAME=VALUE")
        if types and name not in types:
            raise DocumentError(f"--param {name}: not declared; there are {', '.join(types)}")
        found[name] = {"name": name, "value": _typed(name, value, types.get(name, "string"))}
    return list(found.values())


def workspace(text: str) -> dict[str, Any]:
    """`name=src,claimName=pvc`, `name=src,path=.`, `name=c,config=map`, or short `src=.`. Raises `DocumentError`."""
    parts = dict(part.partition("=")[::2] for part in text.split(","))
    if "name" not in parts and len(parts) == 1:
        name, value = next(iter(parts.items()))
        return {"name": name, **_SOURCES["path"](value or ".")}
    name = parts.pop("name", "")
    sub_path = parts.pop("subPath", "")
    if "volumeClaimTemplateFile" in parts:
        parts.pop("volumeClaimTemplateFile")
        found: dict[str, Any] = {"name": name, "volumeClaimTemplate": {"spec": {}}}
    elif name and len(parts) == 1 and next(iter(parts)) in _SOURCES:
        kind, value = next(iter(parts.items()))
        found = {"name": name, **_SOURCES[kind](value)}
    else:
        raise DocumentError(
            f"--workspace {text!r}: must be NAME=DIRECTORY, or name=NAME and one of {'=, '.join(_SOURCES)}="
        )
    return {**found, "subPath": sub_path} if sub_path else found


def _typed(name: str, value: str, kind: str) -> Any:
    if kind == "array":
        return value.split(",") if value else []
    if kind == "object":
        pairs = [part.partition(":") for part in value.split(",")]
        if not all(colon for _, colon, _ in pairs):
            raise DocumentError(f"--param {name}: an object is written {name}=key:value,key:value")
        return {key.strip(): one.strip() for key, _, one in pairs}
    return value


def _spec(document: Document, run: Run, found: list[Document]) -> dict[str, Any]:
    """The spec of the Task or Pipeline that runs, where it is here."""
    if document.kind in ("Pipeline", "Task"):
        return dict(document.body.get("spec") or {})
    kind = "Pipeline" if document.kind == "PipelineRun" else "Task"
    inline = run.spec.get(f"{kind.lower()}Spec")
    if inline is not None:
        return dict(inline)
    name = (run.spec.get(f"{kind.lower()}Ref") or {}).get("name")
    return next((dict(one.body.get("spec") or {}) for one in found if (one.kind, one.name) == (kind, name)), {})


def spec_of(asked: Asked) -> dict[str, Any]:
    """The spec of the Task or Pipeline that a run is of; empty where it is elsewhere."""
    return _spec(asked.document, asked.run, asked.documents)


def _assumed(
    bindings: list[dict[str, Any]], declared: list[dict[str, Any]], here: Path, notes: list[str]
) -> list[dict[str, Any]]:
    """The current directory for the workspace that is the code, an empty one for the others."""
    given = {one["name"] for one in bindings}
    open_ones = [one["name"] for one in declared if one["name"] not in given and not one.get("optional")]
    if not open_ones:
        return bindings
    code = next((name for name in _CODE if name in open_ones), open_ones[0] if len(open_ones) == 1 else "")
    made = []
    for name in open_ones:
        if name == code:
            notes.append(f"workspace {name} is {here}")
            made.append({"name": name, "hostPath": {"path": str(here)}})
        else:
            notes.append(f"workspace {name} is empty; bind it with -w {name}=DIRECTORY")
            made.append({"name": name, "volumeClaimTemplate": {"spec": {}}})
    return [*bindings, *made]


def _timeout(run: Run, text: str) -> None:
    from pilothouse.delivery.pipelines import durations

    try:
        length = durations.seconds(text)
    except ValueError as error:
        raise DocumentError(f"--timeout: {error}; write 1h30m, 90s or 0 for none") from None
    if isinstance(run, TaskRun):
        run.timeout = length
        run.spec["timeout"] = text
    else:
        run.spec["timeouts"] = {**(run.spec.get("timeouts") or {}), "pipeline": text}


def data_directory(given: Path | None = None) -> Path:
    """Where state and logs are: as given, or below the XDG data directory."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return given or Path(os.environ.get("PILOTHOUSE_DATA") or Path(base) / "pilothouse")
