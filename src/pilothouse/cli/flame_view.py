"""Where one is in a flame graph: what is zoomed into, what is chosen, and where each block is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Block:
    """A node on the screen: `left` and `right` are columns, `depth` is its row below the first ancestor."""

    node: Node
    parent: Node | None
    depth: int
    left: int
    right: int


@dataclass
class FlameView:
    """Nested `{"name", "value", "children"}` with a place in it. Moving keeps to what can be seen."""

    root: Node
    width: int
    path: list[Node] = field(default_factory=list)
    chosen: int = 0
    search: str = ""
    blocks: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.path or [self.root]
        self.lay_out()

    @property
    def block(self) -> Block:
        """The chosen one."""
        return self.blocks[self.chosen]

    def lay_out(self) -> None:
        """Place the ancestors on the whole width, then what is below the zoomed node by its value."""
        blocks = [
            Block(node, parent, depth, 0, self.width)
            for depth, (node, parent) in enumerate(zip(self.path, [None, *self.path], strict=False))
        ]
        level: list[tuple[Block, float, float]] = [(blocks[-1], 0.0, float(self.width))]
        while level:
            below: list[tuple[Block, float, float]] = []
            for block, left, right in level:
                at = left
                for child in sorted(block.node["children"], key=lambda one: -one["value"]):
                    end = at + (right - left) * child["value"] / max(block.node["value"], 1)
                    if round(end) - round(at) >= 1:
                        placed = Block(child, block.node, block.depth + 1, round(at), round(end))
                        blocks.append(placed)
                        below.append((placed, at, end))
                    at = end
            level = below
        self.blocks = blocks

    def resize(self, width: int) -> None:
        """Draw on another width, the same node chosen if it can still be seen."""
        node, self.width = self.block.node, max(width, 1)
        self.lay_out()
        self._choose(node)

    def move(self, direction: str) -> None:
        """To the block `up`, `down`, `left` or `right` of the chosen one, if there is one."""
        here = self.block
        if direction == "up" and here.parent is not None:
            self._choose(here.parent)
        elif direction == "down":
            below = [one for one in self.blocks if one.parent is here.node]
            if below:
                self._choose(max(below, key=lambda one: one.node["value"]).node)
        elif direction in ("left", "right"):
            row = sorted((one for one in self.blocks if one.depth == here.depth), key=lambda one: one.left)
            place = row.index(here) + (1 if direction == "right" else -1)
            if 0 <= place < len(row):
                self._choose(row[place].node)

    def zoom(self) -> None:
        """The chosen node on the whole width; an ancestor of what is zoomed into goes back to it."""
        here = self.block
        above = next((place for place, node in enumerate(self.path) if node is here.node), -1)
        if above >= 0:
            self.path = self.path[: above + 1]
        else:
            way = [here.node]
            parents = {id(one.node): one.parent for one in self.blocks}
            while way[-1] is not self.path[-1] and (parent := parents[id(way[-1])]) is not None:
                way.append(parent)
            self.path += list(reversed(way[:-1]))
        self.lay_out()
        self._choose(here.node)

    def back(self) -> None:
        """One step out."""
        node = self.path[-1]
        if len(self.path) > 1:
            self.path.pop()
        self.lay_out()
        self._choose(node)

    def find(self, text: str) -> bool:
        """Choose the next block whose function has this text in its name, from the chosen one on."""
        self.search = text.casefold()
        count = len(self.blocks)
        for step in range(1, count + 1):
            place = (self.chosen + step) % count
            if self.search and self.search in self.blocks[place].node["name"].casefold():
                self.chosen = place
                return True
        return False

    def said(self, amount: Callable[[int], str]) -> str:
        """The chosen node in words: name, place, value, its part of all and of its caller."""
        node, parent = self.block.node, self.block.parent
        own = node["value"] - sum(child["value"] for child in node["children"])
        whole = max(self.root["value"], 1)
        of_parent = f", {node['value'] / max(parent['value'], 1):.1%} of {parent['name']}" if parent else ""
        where = f" {node['file']}:{node['line']}" if node.get("file") else ""
        share = f"{node['value'] / whole:.1%}{of_parent}"
        return f"{node['name']}{where}  {amount(node['value'])} ({share}), self {amount(own)}"

    def _choose(self, node: Node) -> None:
        self.chosen = next((place for place, one in enumerate(self.blocks) if one.node is node), len(self.path) - 1)
