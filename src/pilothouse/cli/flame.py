"""A flame graph in a terminal: one line a level, a block as wide as its value."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from pilothouse.cli.profile_wording import NOTHING_PROFILED

_COLOURS = (202, 208, 214, 172, 178, 130, 166, 136, 220, 173)
_LEAST = 1


def print_flame(root: dict[str, Any], amount: Callable[[int], str]) -> None:
    """Draw nested `{"name", "value", "children"}` on the whole width of the terminal."""
    from rich.console import Console

    console = Console()
    if not root["value"]:
        console.print(NOTHING_PROFILED)
        return
    for line in flame_lines(root, console.width, amount):
        console.print(line, soft_wrap=True)


def flame_lines(root: dict[str, Any], width: int, amount: Callable[[int], str]) -> list[Any]:
    """One `rich.text.Text` a level. What would be narrower than a column is left out."""
    from rich.text import Text

    lines, level = [], [(root, 0.0, float(width))]
    while level:
        line, column, below = Text(), 0, []
        for node, left, right in level:
            begin, end = round(left), round(right)
            line.append(" " * (begin - column))
            line.append(_fitted(_label(node, amount), end - begin), style=f"black on color({_colour(node)})")
            column = end
            below += _children(node, left, right)
        lines.append(line)
        level = below
    return lines


def _children(node: dict[str, Any], left: float, right: float) -> list[tuple[dict[str, Any], float, float]]:
    placed, at = [], left
    for child in sorted(node["children"], key=lambda one: one["name"]):
        end = at + (right - left) * child["value"] / node["value"]
        if round(end) - round(at) >= _LEAST:
            placed.append((child, at, end))
        at = end
    return placed


def _label(node: dict[str, Any], amount: Callable[[int], str]) -> str:
    return f"{node['name']} {amount(node['value'])}"


def _fitted(text: str, width: int) -> str:
    """Exactly `width` columns, the last one a gap so that neighbours can be told apart."""
    from rich.cells import set_cell_size

    room = max(width - 1, 0)
    return set_cell_size(text, room) + ("▏" if width > 0 else "") if room else "▏" * width


def _colour(node: dict[str, Any]) -> int:
    return _COLOURS[zlib.crc32(node["name"].encode()) % len(_COLOURS)]
