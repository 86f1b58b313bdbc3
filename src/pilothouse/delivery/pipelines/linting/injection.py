"""Script injection: `$(params.x)` in a script is replaced as plain text, so that whoever sets x writes the script.

A parameter is tainted when a person outside may set it: it comes from a trigger's event (a title, a branch, a comment),
or its name says so. The taint is followed from TriggerBindings through TriggerTemplates and Pipelines into Tasks.
Tekton documents the replacement as unescaped (`docs/variables.md`), and TEP-0146 proposes a remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.linting import Finding
from pilothouse.delivery.pipelines.variables import references, texts

_FREE_TEXT = re.compile(
    r"(title|branch|(^|[._-])ref$|head_?ref|message|comment|body$|description|author|sender|user(name)?$|label|tag|review)",
    re.I,
)
# What a forge makes itself, and a stranger cannot choose.
_SAFE = re.compile(r"(sha|commit\.id|\.id$|number|clone_url|html_url|full_name|after$|before$|digest)", re.I)
_TT = re.compile(r"\$\(tt\.params\.([A-Za-z0-9_.-]+)\)")
_SHELLS = ("sh", "bash", "ash", "dash", "zsh", "python", "python3", "node", "perl", "ruby")


def findings(documents: Sequence[Document]) -> Iterator[Finding]:
    """A finding for each place where a tainted parameter becomes part of a script."""
    tainted = _from_triggers(documents)
    for document in documents:
        spec = document.body.get("spec") or {}
        if document.kind in ("Task", "StepAction"):
            yield from _task(document, "spec", spec, _named(spec, tainted))
        elif document.kind == "TaskRun" and spec.get("taskSpec"):
            yield from _task(
                document, "spec.taskSpec", spec["taskSpec"], _named(spec["taskSpec"], tainted) | _given(spec, tainted)
            )
        elif document.kind in ("Pipeline", "PipelineRun"):
            inner = spec if document.kind == "Pipeline" else spec.get("pipelineSpec") or {}
            prefix = "spec" if document.kind == "Pipeline" else "spec.pipelineSpec"
            yield from _pipeline(document, prefix, inner, _named(inner, tainted) | _given(spec, tainted))
        elif document.kind == "TriggerTemplate":
            yield from _template(document, spec, tainted)


def _from_triggers(documents: Sequence[Document]) -> dict[str, str]:
    """The parameters that bindings fill with text of the event, and from where."""
    found: dict[str, str] = {}
    for document in documents:
        spec = document.body.get("spec") or {}
        entries = list(spec.get("params") or []) if document.kind in ("TriggerBinding", "ClusterTriggerBinding") else []
        if document.kind in ("EventListener", "Trigger"):
            triggers = spec.get("triggers") or [spec]
            entries += [one for trigger in triggers for one in trigger.get("bindings") or [] if one.get("value")]
        for one in entries:
            value = str(one.get("value", ""))
            if re.search(r"\$\((body|header|extensions)", value) and not _SAFE.search(value):
                found[one["name"]] = f"{value} of the event"
    return found


def _named(spec: dict[str, Any], tainted: dict[str, str]) -> dict[str, str]:
    """Declared parameters that are tainted by a trigger, or by what they are called."""
    found = {}
    for one in spec.get("params") or []:
        name = str(one.get("name", ""))
        if name in tainted:
            found[name] = tainted[name]
        elif _FREE_TEXT.search(name) and not _SAFE.search(name):
            found[name] = f"the parameter {name}, which a person outside may set"
    return found


def _given(spec: dict[str, Any], tainted: dict[str, str]) -> dict[str, str]:
    """Values of a run inside a template that are filled from the event."""
    found = {}
    for one in spec.get("params") or []:
        for name in _TT.findall(str(one.get("value", ""))):
            if name in tainted:
                found[one["name"]] = tainted[name]
    return found


def _pipeline(document: Document, prefix: str, spec: dict[str, Any], tainted: dict[str, str]) -> Iterator[Finding]:
    for section in ("tasks", "finally"):
        for index, task in enumerate(spec.get(section) or []):
            if not task.get("taskSpec"):
                continue
            inner = dict(tainted)
            for one in task.get("params") or []:
                inner.pop(one.get("name"), None)
                for _, text in texts(one.get("value")):
                    for name in _params(text):
                        if name in tainted:
                            inner[one["name"]] = tainted[name]
            yield from _task(document, f"{prefix}.{section}[{index}].taskSpec", task["taskSpec"], inner)


def _task(document: Document, prefix: str, spec: dict[str, Any], tainted: dict[str, str]) -> Iterator[Finding]:
    steps = spec.get("steps") or [spec]
    for index, step in enumerate(steps):
        place = f"{prefix}.steps[{index}]" if spec.get("steps") else prefix
        for field, text in code(step):
            for name in _params(text):
                if name in tainted:
                    yield Finding(
                        "script-injection",
                        "error",
                        document.title,
                        f"{place}.{field}",
                        f"$(params.{name}) becomes part of the script: it is {tainted[name]}, "
                        "and can end the script's own "
                        "words and add commands",
                        f"hand it over as a variable: env: [{{name: {_variable(name)}, value: $(params.{name})}}], "
                        "and write "
                        f'"${_variable(name)}" in the script',
                    )


def _template(document: Document, spec: dict[str, Any], tainted: dict[str, str]) -> Iterator[Finding]:
    for index, body in enumerate(spec.get("resourcetemplates") or []):
        inner = Document(body, document.source, document.line)
        prefix = f"spec.resourcetemplates[{index}]"
        for path, text in texts(body):
            if not (path.endswith("script") or re.search(r"\.args\[", path)):
                continue
            for name in _TT.findall(text):
                if name in tainted:
                    yield Finding(
                        "script-injection", "error", document.title, f"{prefix}.{path}",
                        f"$(tt.params.{name}) becomes part of the script: it is {tainted[name]}",
                        "make it a parameter of the run, and hand that over as a variable of the step",
                    )  # fmt: skip
        for one in findings_in(inner, tainted):
            yield Finding(one.rule, one.severity, document.title, f"{prefix}.{one.path}", one.message, one.advice)


def findings_in(document: Document, tainted: dict[str, str]) -> Iterator[Finding]:
    """Findings in one run of a template."""
    spec = document.body.get("spec") or {}
    if document.kind == "TaskRun" and spec.get("taskSpec"):
        yield from _task(document, "spec.taskSpec", spec["taskSpec"], _given(spec, tainted))
    elif document.kind == "PipelineRun" and spec.get("pipelineSpec"):
        yield from _pipeline(document, "spec.pipelineSpec", spec["pipelineSpec"], _given(spec, tainted))


def code(step: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of a step that are run as code."""
    if isinstance(step.get("script"), str):
        yield "script", step["script"]
    command = [str(one) for one in step.get("command") or []]
    if command and command[0].rsplit("/", 1)[-1] in _SHELLS:
        words = [*command, *(str(one) for one in step.get("args") or [])]
        for index, word in enumerate(words):
            if word in ("-c", "-ec", "-e", "-lc") and index + 1 < len(words):
                field = "command" if index + 1 < len(command) else "args"
                yield f"{field}[{index + 1 - (0 if field == 'command' else len(command))}]", words[index + 1]


def _params(text: str) -> Iterator[str]:
    for reference in references(text):
        if reference.startswith("params."):
            yield re.sub(r"\[.*$", "", reference.removeprefix("params."))


def _variable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()
