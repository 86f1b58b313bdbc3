"""Pipelines-as-Code's annotations on a PipelineRun: for which events, branches, paths and comments it is.

Source: the guide "Matching a PipelineRun" of tektoncd/pipelines-as-code. `on-cel-expression` replaces the others but
`on-comment`; `on-path-change-ignore` wins over `on-path-change`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import re2

from pilothouse.delivery.triggering import celling
from pilothouse.delivery.triggering.globbing import branch_matches, matches
from pilothouse.delivery.triggering.occasion import Occasion

PREFIX = "pipelinesascode.tekton.dev/"
OPTIONAL = "pilothouse.dev/optional"
CONTEXT = "pilothouse.dev/context"


@dataclass(frozen=True, slots=True)
class Conditions:
    """When a PipelineRun is wanted; empty is not given."""

    events: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    ignored_paths: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    expression: str = ""
    comment: str = ""
    tasks: tuple[str, ...] = ()
    pipeline: str = ""
    keep: int = 0
    cancels: bool = False

    @property
    def automatic(self) -> bool:
        """Whether it can be wanted without being asked for."""
        return bool(self.expression or (self.events and self.branches))

    def can_be(self, event: str) -> bool:
        """Whether it may be for this kind of event at all; an expression may be for each."""
        return bool(self.expression) or event in self.events or (event == "pull_request" and bool(self.comment))

    def why_not(self, occasion: Occasion) -> str:
        """Why it is not wanted by itself; empty when it is. Raises `CelError`."""
        if self.expression:
            value = celling.evaluate(self.expression, occasion)
            return "" if value is True else f"on-cel-expression {' '.join(self.expression.split())} is not true"
        if not self.automatic:
            return f"it runs when a comment matches {self.comment}" if self.comment else "it has no on-event annotation"
        if occasion.event not in self.events:
            return f"on-event is {_shown(self.events)}, this is a {occasion.event}"
        if not any(branch_matches(pattern, occasion.target_branch) for pattern in self.branches):
            return f"on-target-branch {_shown(self.branches)} does not match {occasion.target_branch}"
        if self.labels and not occasion.labels.intersection(self.labels):
            return f"on-label: it has none of the labels {_shown(self.labels)}"
        return self._why_not_paths(occasion.files.all)

    def _why_not_paths(self, changed: tuple[str, ...]) -> str:
        for path in changed:
            if any(matches(pattern, path) for pattern in self.ignored_paths):
                return f"on-path-change-ignore {_shown(self.ignored_paths)} matches {path}"
        if self.paths and not any(matches(pattern, path) for pattern in self.paths for path in changed):
            return f"on-path-change: no changed file matches {_shown(self.paths)}"
        return ""


def conditions(annotations: dict[str, Any]) -> Conditions | None:
    """A PipelineRun's conditions, or None where it has none of these annotations. Raises `ValueError` with a reason."""
    given = {str(key).removeprefix(PREFIX): value for key, value in annotations.items() if str(key).startswith(PREFIX)}
    if not given:
        return None
    found = Conditions(
        events=_several(given.get("on-event")),
        branches=_several(given.get("on-target-branch")),
        paths=_several(given.get("on-path-change")),
        ignored_paths=_several(given.get("on-path-change-ignore")),
        labels=_several(given.get("on-label")),
        expression=str(given.get("on-cel-expression") or "").strip(),
        comment=str(given.get("on-comment") or "").strip(),
        tasks=tuple(
            task for key in sorted(given) if key == "task" or key.startswith("task-") for task in _several(given[key])
        ),
        pipeline=str(given.get("pipeline") or "").strip(" []"),
        keep=_number(given, "max-keep-runs"),
        cancels=str(given.get("cancel-in-progress", "")).lower() == "true",
    )
    _checked(found)
    return found


def _checked(found: Conditions) -> None:
    if unknown := [event for event in found.events if event not in ("pull_request", "push", "incoming")]:
        raise ValueError(f"on-event {unknown[0]!r}: must be pull_request, push or incoming")
    for pattern in (*found.branches, *found.paths, *found.ignored_paths):
        matches(pattern, "")
    if found.expression:
        celling.check(found.expression)
    if found.comment:
        try:
            re2.compile(found.comment)
        except re2.error as error:
            raise ValueError(f"on-comment {found.comment!r} is not an expression: {error}") from None


def _several(value: Any) -> tuple[str, ...]:
    """`a`, `[a, b]`, or a list; `&#44;` stands for a comma inside of one."""
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    text = str(value).strip()
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    parts = (part.strip().strip("\"'").replace("&#44;", ",") for part in inner.split(","))
    return tuple(part for part in parts if part)


def _number(given: dict[str, Any], name: str) -> int:
    text = str(given.get(name) or "0")
    if not text.isdigit():
        raise ValueError(f"{name} {text!r}: must be a whole number")
    return int(text)


def _shown(values: tuple[str, ...]) -> str:
    return f"[{', '.join(values)}]"
