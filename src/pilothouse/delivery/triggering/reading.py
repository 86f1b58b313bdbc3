"""All jobs that a commit's files define. A file or a job that is wrong is named and left out; the rest holds."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pilothouse.delivery.chat.model import Job
from pilothouse.delivery.pipelines import checking
from pilothouse.delivery.pipelines.documents import Document, read_text
from pilothouse.delivery.pipelines.errors import PipelineError
from pilothouse.delivery.triggering import as_code, prow
from pilothouse.delivery.triggering.definition import Definition, Kind

_SUFFIXES = (".yaml", ".yml")
_BARE = re.compile(r"""(?m)^(\s*(?:- +)*[\w./-]+: +)(\{\{[^{}"']*\}\})[ \t]*$""")


@dataclass(frozen=True, slots=True)
class Config:
    """What a commit defines: `broken` has a sentence for each file or job that was left out."""

    definitions: tuple[Definition, ...] = ()
    broken: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[Definition, ...]:
        """Those of a kind."""
        return tuple(one for one in self.definitions if one.kind == kind)

    def named(self, name: str, kind: Kind = "presubmit") -> Definition | None:
        """The one of a name."""
        return next((one for one in self.definitions if one.name == name and one.kind == kind), None)


def is_configuration(path: str) -> bool:
    """Whether a file of a repository can define jobs."""
    if not path.endswith(_SUFFIXES):
        return False
    return path == ".prow.yaml" or path.startswith((".tekton/", ".prow/", ".lighthouse/"))


def read(texts: Mapping[str, str], repository: str = "") -> Config:
    """From the texts of files by path: those for which `is_configuration` holds."""
    found: list[Definition] = []
    broken: list[str] = []
    for one in (*_as_code(texts), *_prow(texts, repository), *_lighthouse(texts, repository)):
        if isinstance(one, Definition):
            found.append(one)
        else:
            broken.append(str(one))
    names: dict[tuple[str, str], Definition] = {}
    for one in found:
        if (one.kind, one.name) in names:
            broken.append(f"{one.source}: job {one.name} is there already, in {names[one.kind, one.name].source}")
        names.setdefault((one.kind, one.name), one)
    return Config(tuple(names.values()), tuple(broken))


def _as_code(texts: Mapping[str, str]) -> Iterator[Definition | Exception]:
    """`.tekton/`: PipelineRuns with annotations; all other objects are what they may refer to."""
    documents: list[Document] = []
    for path in sorted(texts):
        if path.startswith(".tekton/") and path.endswith(_SUFFIXES):
            try:
                documents += read_text(_quoted(texts[path]), path)
            except PipelineError as error:
                yield error
    others = tuple(one for one in documents if one.kind != "PipelineRun")
    for document in documents:
        if document.kind == "PipelineRun":
            yield from _annotated(document, others)


def _quoted(text: str) -> str:
    """A variable that is all of a value, without quotes, would be a mapping to YAML."""
    return _BARE.sub(r'\1"\2"', text)


def _annotated(document: Document, others: tuple[Document, ...]) -> Iterator[Definition | Exception]:
    annotations = (document.body.get("metadata") or {}).get("annotations") or {}
    try:
        conditions = as_code.conditions(annotations)
    except ValueError as error:
        yield ValueError(f"{document.title}: {error}")
        return
    if conditions is None:
        yield ValueError(f"{document.title}: no annotation {as_code.PREFIX}on-event: it is started by nothing")
        return
    name = document.name.rstrip("-")
    job = Job(
        name, str(annotations.get(as_code.CONTEXT) or ""), trigger=_trigger(name, conditions.comment),
        optional=str(annotations.get(as_code.OPTIONAL, "")).lower() == "true",
    )  # fmt: skip
    for event, kind in (("pull_request", "presubmit"), ("push", "postsubmit")):
        if conditions.can_be(event):
            yield Definition(
                job, kind, document.source, document, others, conditions,  # type: ignore[arg-type]
                keep=conditions.keep, cancels=conditions.cancels,
            )  # fmt: skip


def _trigger(name: str, comment: str) -> str:
    """What asks for it: `/test NAME` always does, and its own expression where it has one."""
    if not comment:
        return ""
    import re2

    return rf"(?:(?m)^/test( | .* ){re2.escape(name)},?($|\s.*))|(?:{comment})"


def _prow(texts: Mapping[str, str], repository: str) -> Iterator[Definition | Exception]:
    """`.prow.yaml` and `.prow/`."""
    for path in sorted(texts):
        if path == ".prow.yaml" or (path.startswith(".prow/") and path.endswith(_SUFFIXES)):
            yield from _jobs(texts, path, repository, ())


def _lighthouse(texts: Mapping[str, str], repository: str) -> Iterator[Definition | Exception]:
    """`.lighthouse/DIRECTORY/triggers.yaml`, whose jobs name a file beside it as their `source`."""
    for path in sorted(texts):
        if path.startswith(".lighthouse/") and posixpath.basename(path) in ("triggers.yaml", "triggers.yml"):
            yield from _jobs(texts, path, repository, ("spec",))


def _jobs(
    texts: Mapping[str, str], path: str, repository: str, below: tuple[str, ...]
) -> Iterator[Definition | Exception]:
    try:
        documents = read_text(texts[path], path)
    except PipelineError as error:
        yield error
        return

    def find(entry: dict[str, Any]) -> tuple[Document, tuple[Document, ...]]:
        if entry.get("source"):
            return _source(texts, posixpath.normpath(posixpath.join(posixpath.dirname(path), str(entry["source"]))))
        document = prow.inline(entry, path)
        if document is None:
            raise ValueError(f"job {entry['name']}: needs spec, pipeline_run_spec or source: there is nothing to run")
        return document, _beside(texts)

    for document in documents:
        content: Any = document.body
        for key in below:
            content = content.get(key) if isinstance(content, dict) else None
        if isinstance(content, dict):
            yield from prow.definitions(content, path, repository, find)


def _source(texts: Mapping[str, str], path: str) -> tuple[Document, tuple[Document, ...]]:
    if path not in texts:
        raise ValueError(f"source {path}: there is no such file")
    try:
        found = read_text(texts[path], path)
        checking.require(found)
    except PipelineError as error:
        raise ValueError(str(error)) from None
    chosen = [one for one in found if one.kind in ("PipelineRun", "TaskRun")]
    chosen = chosen or [one for one in found if one.kind == "Pipeline"] or [one for one in found if one.kind == "Task"]
    if not chosen:
        raise ValueError(f"source {path}: has no PipelineRun, Pipeline or Task")
    return chosen[-1], tuple(one for one in found if one is not chosen[-1])


def _beside(texts: Mapping[str, str]) -> tuple[Document, ...]:
    """The Tasks and Pipelines of `.tekton/`, which Prow's jobs may refer to."""
    found: list[Document] = []
    for path in sorted(texts):
        if path.startswith(".tekton/"):
            try:
                found += [one for one in read_text(texts[path], path) if one.kind in ("Task", "Pipeline", "StepAction")]
            except PipelineError:
                continue  # said where .tekton is read for itself
    return tuple(found)
