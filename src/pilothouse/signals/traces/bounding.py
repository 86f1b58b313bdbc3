"""Which spans of a very large trace to show: what it waited for, what failed, and the top of the tree."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from pilothouse.signals.traces.critical import critical_path
from pilothouse.signals.traces.forests import Leaf


def telling(leaves: Sequence[Leaf], most: int) -> set[str]:
    """At most `most` ids: the critical path, what failed (at most half), then level by level; parents always with it.

    `leaves` are all spans of one trace, by start.
    """
    parents = {leaf.timed.span_id: leaf.timed.parent for leaf in leaves}
    kept: set[str] = set()
    _add(kept, critical_path([leaf.timed for leaf in leaves]), parents, most)
    _add(kept, (leaf.timed.span_id for leaf in leaves if leaf.failed), parents, max(len(kept), most // 2))
    _add(kept, _by_level(leaves, parents), parents, most)
    return kept


def _add(kept: set[str], wanted: Iterable[str], parents: dict[str, str], most: int) -> None:
    for one in wanted:
        line: set[str] = set()
        while one in parents and one not in kept and one not in line:
            line.add(one)
            one = parents[one]
        if len(kept) + len(line) <= most:
            kept |= line
        if len(kept) >= most:
            return


def _by_level(leaves: Sequence[Leaf], parents: dict[str, str]) -> Iterable[str]:
    children: dict[str, list[str]] = {}
    for leaf in leaves:
        above = leaf.timed.parent if leaf.timed.parent in parents else ""
        children.setdefault(above, []).append(leaf.timed.span_id)
    waiting = deque(children.get("", ()))
    while waiting:
        one = waiting.popleft()
        yield one
        waiting.extend(children.pop(one, ()))
