"""The flame graph that answers to keys: its moves, and a real terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from typing import Any

import pytest

from pilothouse.cli.flame_view import FlameView


def node(name: str, value: int, *children: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "file": "/a.py", "line": 3, "value": value, "children": list(children)}


def tree() -> dict[str, Any]:
    return node("total", 100, node("main", 90, node("work", 60, node("leaf", 60)), node("rest", 30)), node("gc", 10))


def test_blocks_are_as_wide_as_their_values() -> None:
    view = FlameView(tree(), 100)
    assert {(one.node["name"], one.depth, one.left, one.right) for one in view.blocks} == {
        ("total", 0, 0, 100), ("main", 1, 0, 90), ("gc", 1, 90, 100), ("work", 2, 0, 60), ("leaf", 3, 0, 60),
        ("rest", 2, 60, 90),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "at"),
    [
        ("d", "main"), ("dd", "work"), ("ddd", "leaf"), ("dddd", "leaf"), ("ddu", "main"), ("u", "total"),
        ("dr", "gc"), ("drr", "gc"), ("drl", "main"), ("ddr", "rest"), ("l", "total"),
    ],
)  # fmt: skip
def test_moves(keys: str, at: str) -> None:
    view = FlameView(tree(), 100)
    for key in keys:
        view.move({"u": "up", "d": "down", "l": "left", "r": "right"}[key])
    assert view.block.node["name"] == at


def test_zoom_and_back() -> None:
    view = FlameView(tree(), 100)
    view.find("work")
    view.zoom()
    assert [one["name"] for one in view.path] == ["total", "main", "work"]
    assert {(one.node["name"], one.left, one.right) for one in view.blocks if one.depth == 3} == {("leaf", 0, 100)}
    view.back()
    assert (view.path[-1]["name"], view.block.node["name"]) == ("main", "work")
    view.move("up")
    view.move("up")
    view.zoom()
    assert [one["name"] for one in view.path] == ["total"]
    view.back()
    assert view.block.node["name"] == "total"


def test_search_goes_round() -> None:
    view = FlameView(tree(), 100)
    assert view.find("REST")
    assert view.block.node["name"] == "rest"
    assert not view.find("nowhere")
    view.resize(10)
    assert view.block.node["name"] == "rest"


def test_what_is_said_of_a_block() -> None:
    view = FlameView(tree(), 100)
    view.find("work")
    assert view.said(str) == "work /a.py:3  60 (60.0%, 66.7% of main), self 0"


def test_in_a_terminal() -> None:
    script = (
        "import json, sys\nfrom pilothouse.cli.flame_keys import show_flame\n"
        "show_flame(json.loads(sys.argv[1]), 'cpu: 100', str)\n"
    )
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "LINES": "20", "COLUMNS": "80"}
    command = [sys.executable, "-c", script, json.dumps(tree())]
    with subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=environment) as process:
        os.close(child)
        seen = until(parent, b"total 100")
        os.write(parent, b"jj")
        seen += until(parent, b"66.7% of main")
        os.write(parent, b"\n")
        os.write(parent, b"q")
        assert process.wait(60) == 0
    os.close(parent)
    assert b"Enter: zoom" in seen


def until(terminal: int, text: bytes) -> bytes:
    """What is written there until the text is."""
    seen, deadline = b"", time.monotonic() + 60
    while text not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65536)
    return seen
