"""A flame graph in a terminal that answers to keys."""

from __future__ import annotations

import curses
import zlib
from collections.abc import Callable
from typing import Any

from pilothouse.cli.client import printable
from pilothouse.cli.flame_view import FlameView

_HELP = "arrows: move  Enter: zoom  Backspace: out  0: all  /: find  n: next  q: quit"
_COLOURS = (202, 208, 214, 172, 178, 130, 166, 136, 220, 173)
_FOUND = 45
_MOVES = {
    curses.KEY_UP: "up", curses.KEY_DOWN: "down", curses.KEY_LEFT: "left", curses.KEY_RIGHT: "right", ord("k"): "up",
    ord("j"): "down", ord("h"): "left", ord("l"): "right",
}  # fmt: skip
_ENTER, _BACK, _QUIT = (10, 13, curses.KEY_ENTER), (curses.KEY_BACKSPACE, 127, 8, ord("u")), (ord("q"), 27)


def show_flame(root: dict[str, Any], title: str, amount: Callable[[int], str]) -> None:
    """Show nested `{"name", "file", "line", "value", "children"}` until the user quits."""
    curses.wrapper(_show, printable(root), title, amount)


def _show(screen: Any, root: dict[str, Any], title: str, amount: Callable[[int], str]) -> None:
    curses.curs_set(0)
    colours = _colours()
    view = FlameView(root, screen.getmaxyx()[1])
    while True:
        _draw(screen, view, title, amount, colours)
        key = screen.getch()
        if key in _QUIT:
            return
        if key in _MOVES:
            view.move(_MOVES[key])
        elif key in _ENTER:
            view.zoom()
        elif key in _BACK:
            view.back()
        elif key == ord("0"):
            view.path = [root]
            view.lay_out()
            view.chosen = 0
        elif key == ord("n"):
            view.find(view.search)
        elif key == ord("/"):
            view.find(_asked(screen))
        elif key == curses.KEY_RESIZE:
            view.resize(screen.getmaxyx()[1])


def _colours() -> list[int]:
    """Attributes of the blocks; the last one is for what was searched."""
    curses.start_color()
    if curses.COLORS < 256:
        return [curses.A_REVERSE] * (len(_COLOURS) + 1)
    for number, colour in enumerate((*_COLOURS, _FOUND), 1):
        curses.init_pair(number, 16, colour)
    return [curses.color_pair(number) for number in range(1, len(_COLOURS) + 2)]


def _draw(screen: Any, view: FlameView, title: str, amount: Callable[[int], str], colours: list[int]) -> None:
    rows, columns = screen.getmaxyx()
    screen.erase()
    _write(screen, 0, 0, f"{title}   {_HELP}", columns - 1, curses.A_DIM)
    # The chosen block is always in sight.
    top = max(view.block.depth - (rows - 4), 0)
    for place, block in enumerate(view.blocks):
        row = block.depth - top + 1
        if 1 <= row < rows - 1:
            name = block.node["name"]
            found = view.search and view.search in name.casefold()
            colour = colours[-1] if found else colours[zlib.crc32(name.encode()) % len(_COLOURS)]
            text = f"{name} {amount(block.node['value'])}"
            width = block.right - block.left
            text = text[: width - 1].ljust(width - 1) + "▏" if width > 1 else "▏"
            mark = curses.A_BOLD | curses.A_UNDERLINE if place == view.chosen else 0
            _write(screen, row, block.left, text, width, colour | mark)
    _write(screen, rows - 1, 0, view.said(amount), columns - 1, curses.A_BOLD)
    screen.refresh()


def _asked(screen: Any) -> str:
    rows, columns = screen.getmaxyx()
    _write(screen, rows - 1, 0, "/".ljust(columns - 1), columns - 1, curses.A_BOLD)
    curses.echo()
    try:
        text: bytes = screen.getstr(rows - 1, 1, 200)
    finally:
        curses.noecho()
    return text.decode("utf-8", "replace").strip()


def _write(screen: Any, row: int, column: int, text: str, width: int, style: int) -> None:
    try:
        screen.addnstr(row, column, text, max(width, 0), style)
    except curses.error:
        # The last cell of a screen cannot be written without scrolling it.
        return
