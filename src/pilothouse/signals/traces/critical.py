"""The critical path of a trace: the spans whose time the trace's time consists of.

From the end backwards: of a span's children the one that ended last is what the span waited for; before that one
began, it waited for the one that ended last until then, and so on down to the leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timed:
    """A span's id, its parent's id (empty: none), and its times."""

    span_id: str
    parent: str
    start: int
    end: int


def critical_path(spans: Sequence[Timed]) -> set[str]:
    """The ids on the critical path of the tree whose root began first; a span whose parent is missing is a root."""
    return set(critical_times(spans))


def critical_times(spans: Sequence[Timed], root: str = "") -> dict[str, int]:
    """The same ids, each with the time (of `start` and `end`) that the path spends in the span itself.

    They add up to the root's duration. With `root`, the path of that span's tree.
    """
    children, roots = _children(spans)
    first = [span for span in spans if span.span_id == root] if root else sorted(roots, key=lambda one: one.start)
    path: dict[str, int] = {}
    stack = [(span, span.end) for span in first[:1]]
    while stack:
        span, until = stack.pop()
        if span.span_id in path:
            continue
        own = 0
        for child in sorted(children.get(span.span_id, []), key=lambda child: child.end, reverse=True):
            # A child that ends after its parent did not hold it up beyond the parent's own end.
            if child.start < until and (child.end <= until or until == span.end):
                end, start = min(child.end, until), max(child.start, span.start)
                if end <= start:
                    continue
                stack.append((Timed(child.span_id, child.parent, start, end), end))
                own += until - end
                until = start
        path[span.span_id] = own + max(0, until - span.start)
    return path


def _children(spans: Sequence[Timed]) -> tuple[dict[str, list[Timed]], list[Timed]]:
    ids = {span.span_id for span in spans}
    children: dict[str, list[Timed]] = {}
    roots = []
    for span in spans:
        if span.parent in ids and span.parent != span.span_id:
            children.setdefault(span.parent, []).append(span)
        else:
            roots.append(span)
    return children, roots
