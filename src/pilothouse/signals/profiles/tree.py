"""Stacks as a tree, root first: the flame graph."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pilothouse.signals.profiles.asking import Costs
from pilothouse.signals.profiles.model import Numbers

OTHER = "(other)"
ROOT = -1


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes as columns, parents before children; node 0 is the root.

    `codes` are places in `names`, -1 for the root; `values[node, selection]` hold what is below a node too;
    `lines` are the least line at which the function was seen there.
    """

    names: list[tuple[str, str]]
    parents: Numbers
    codes: Numbers
    lines: Numbers
    values: Numbers

    def __len__(self) -> int:
        return len(self.parents)


def grow(found: Costs, depth: int = 256) -> Tree:
    """The tree of the stacks, level by level; what is deeper than `depth` counts for the node there."""
    width = max(len(found.names), 1)
    parents, codes, lines = [np.array([ROOT])], [np.array([ROOT])], [np.zeros(1, np.int64)]
    values = [found.values.sum(axis=0, keepdims=True)]
    stacks = np.flatnonzero(found.depths > 0)
    above = np.zeros(len(stacks), np.int64)
    count = 1
    for level in range(depth):
        at = found.offsets[stacks + 1] - 1 - level
        if not len(at):
            break
        distinct, node = np.unique(above * width + found.codes[at], return_inverse=True)
        parents.append(distinct // width)
        codes.append(distinct % width)
        lines.append(_least(node, found.lines[at], len(distinct)))
        sums = np.zeros((len(distinct), found.values.shape[1]), np.int64)
        np.add.at(sums, node, found.values[stacks])
        values.append(sums)
        deeper = found.depths[stacks] > level + 1
        stacks, above = stacks[deeper], count + node[deeper]
        count += len(distinct)
    return Tree(
        found.names,
        np.concatenate(parents),
        np.concatenate(codes),
        np.concatenate(lines),
        np.concatenate(values),
    )


def pruned(tree: Tree, nodes: int) -> Tree:
    """At most about `nodes` of the dearest nodes; the rest of each one's children becomes one child,
    `(other)`.
    """
    if len(tree) <= nodes:
        return tree
    # A parent weighs at least as much as its child and stands before it, so that the first ones are a whole
    # tree.
    heaviest = np.lexsort((np.arange(len(tree)), -tree.values.sum(axis=1)))[:nodes]
    keep = np.zeros(len(tree), np.bool_)
    keep[heaviest] = True
    place = np.cumsum(keep) - 1
    lost = np.flatnonzero(~keep & keep[tree.parents])
    at, gathered = np.unique(place[tree.parents[lost]], return_inverse=True)
    rest = np.zeros((len(at), tree.values.shape[1]), np.int64)
    np.add.at(rest, gathered, tree.values[lost])
    parents = np.where(tree.parents[keep] < 0, ROOT, place[tree.parents[keep]])
    return Tree(
        [*tree.names, (OTHER, "")],
        np.concatenate((parents, at)),
        np.concatenate((tree.codes[keep], np.full(len(at), len(tree.names)))),
        np.concatenate((tree.lines[keep], np.zeros(len(at), np.int64))),
        np.concatenate((tree.values[keep], rest)),
    )


def to_json(tree: Tree, fields: Sequence[str]) -> str:
    """Nested objects `{"name", "file", "line", <fields...>, "children"}`, the dearest child first.

    Written without recursion: a stack may be deeper than Python's own.
    """
    children = children_of(tree)
    heads = _heads(tree, fields)
    parts: list[str] = []
    open_nodes: list[int | str] = [0]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, str):
            parts.append(node)
            continue
        parts.append(heads[node])
        open_nodes.append("]}")
        below = children[node]
        for position, child in enumerate(reversed(below)):
            open_nodes.append(child)
            if position < len(below) - 1:
                open_nodes.append(",")
    return "".join(parts)


def _heads(tree: Tree, fields: Sequence[str]) -> list[str]:
    """Each node's text up to its children. Names recur, so each is quoted once."""
    used = set(tree.codes.tolist())
    texts = {code: f'{{"name":{_quoted(name)},"file":{_quoted(file)},"line":' for code, (name, file) in
             ((code, tree.names[code] if code >= 0 else ("total", "")) for code in used)}  # fmt: skip
    form = "%s%d" + "".join(f',"{name}":%d' for name in fields) + ',"children":['
    rows = zip(tree.codes.tolist(), tree.lines.tolist(), *tree.values.T.tolist(), strict=True)
    return [form % (texts[code], *numbers) for code, *numbers in rows]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def children_of(tree: Tree) -> list[list[int]]:
    """Each node's children, the dearest first."""
    order = np.lexsort((-tree.values.sum(axis=1), tree.parents))
    starts = np.searchsorted(tree.parents[order], np.arange(len(tree) + 1))
    nodes, bounds = order.tolist(), starts.tolist()
    return [nodes[bounds[node] : bounds[node + 1]] for node in range(len(tree))]


def _least(groups: Numbers, numbers: Numbers, count: int) -> Numbers:
    least = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(least, groups, numbers)
    return least
