"""The graph of a pipeline's tasks: an edge for each result that a task uses, and for each `runAfter`.

Source: `pkg/reconciler/pipeline/dag` and `PipelineTask.Deps` of Tekton.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pilothouse.delivery.pipelines.variables import references, texts

_RESULT = re.compile(r"^(tasks|finally)\.([a-z0-9][-a-z0-9]*)\.results\.(.+?)(?:\[([0-9]+|\*)\])?$")
_OUTPUT = re.compile(r"^tasks\.([a-z0-9][-a-z0-9]*)\.(?:outputs|inputs)(?:\.|$)")
_LENGTH = re.compile(r"^tasks\.([a-z0-9][-a-z0-9]*)\.matrix\.(?:length|(.+)\.length)$")
# The fields of a pipeline task in which a result makes an edge. A display name does not.
_EDGES = ("params", "matrix", "when", "taskSpec", "taskRef", "pipelineSpec", "pipelineRef", "workspaces", "timeout")


class GraphError(ValueError):
    """The tasks make no graph; worded as Tekton does."""


@dataclass(frozen=True, slots=True)
class ResultRef:
    """`$(tasks.TASK.results.RESULT[INDEX])`; `index` is a number, `*`, or empty."""

    task: str
    result: str
    index: str = ""
    section: str = "tasks"


@dataclass(frozen=True, slots=True)
class Graph:
    """Parents and children of each task, in the order in which the pipeline has them."""

    parents: dict[str, tuple[str, ...]]
    children: dict[str, tuple[str, ...]]

    def roots(self) -> list[str]:
        """Tasks that wait for nothing."""
        return [name for name, parents in self.parents.items() if not parents]


def result_ref(reference: str) -> ResultRef | None:
    """The result that a reference in normal form names."""
    found = _RESULT.match(reference)
    return ResultRef(found[2], found[3], found[4] or "", found[1]) if found else None


def result_refs(tree: Any) -> Iterator[ResultRef]:
    """All results that the texts of a tree use."""
    for _, text in texts(tree):
        for reference in references(text):
            if found := result_ref(reference):
                yield found


def needs(task: dict[str, Any]) -> set[str]:
    """The tasks whose results (or artifacts, or matrix lengths) a pipeline task uses."""
    found = set()
    for _, text in texts({field: task[field] for field in _EDGES if task.get(field)}):
        for reference in references(text):
            if match := result_ref(reference):
                found.add(match.task)
            elif other := _OUTPUT.match(reference) or _LENGTH.match(reference):
                found.add(other[1])
    return found


def build(tasks: list[dict[str, Any]]) -> Graph:
    """The graph of `tasks`. Raises `GraphError` for a task that is not there, and for a circle."""
    names = [str(task.get("name", "")) for task in tasks]
    known = set(names)
    parents: dict[str, tuple[str, ...]] = {}
    for task, name in zip(tasks, names, strict=True):
        # A pipeline inside this one has tasks of its own, whose results it uses itself.
        inner = {str(one.get("name")) for one in (task.get("pipelineSpec") or {}).get("tasks") or []}
        wanted = dict.fromkeys([*sorted(needs(task) - inner), *(task.get("runAfter") or [])])
        for other in wanted:
            if other not in known:
                raise GraphError(
                    f"couldn't add link between {name} and {other}: task {name} depends on {other} "
                    f"but {other} wasn't present in Pipeline"
                )
        parents[name] = tuple(wanted)
    children: dict[str, list[str]] = {name: [] for name in names}
    for name, found in parents.items():
        for other in found:
            children[other].append(name)
    _no_circle(parents, children)
    return Graph(parents, {name: tuple(found) for name, found in children.items()})


def _no_circle(parents: dict[str, tuple[str, ...]], children: dict[str, list[str]]) -> None:
    waiting = {name: len(found) for name, found in parents.items()}
    free = [name for name, count in waiting.items() if not count]
    for name in free:
        for child in children[name]:
            waiting[child] -= 1
            if not waiting[child]:
                free.append(child)
    left = [name for name, count in waiting.items() if count]
    if left:
        raise GraphError("cycle detected: " + " -> ".join(_circle(left, parents)))


def _circle(left: list[str], parents: dict[str, tuple[str, ...]]) -> list[str]:
    """One circle among the tasks that are left: follow the parents until one comes again."""
    stuck, path, name = set(left), [], left[0]
    while name not in path:
        path.append(name)
        name = next(parent for parent in parents[name] if parent in stuck)
    return [*path[path.index(name) :], name]
