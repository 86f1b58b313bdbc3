"""One trace in the terminal: a waterfall, with log lines between its spans."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text

_WIDTH = 40
# What is deeper is not indented further.
_DEEPEST = 24
_COLOURS = ("cyan", "green", "yellow", "blue", "magenta", "bright_cyan", "bright_green", "bright_yellow")


def print_trace(answer: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    """A waterfall: a colour for each service, errors red, `*` for the critical path, log lines under their span."""
    from rich.console import Console

    console = Console()
    spans = answer["spans"]
    total = answer.get("total", len(spans))
    count = f"{len(spans):,} of {total:,}" if total > len(spans) else str(len(spans))
    begin = min(map(start_of, spans))
    whole = max(start_of(span) + span["duration_ms"] for span in spans) - begin or 1.0
    names = sorted({_service(span) for span in spans})
    colours = {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(names)}
    console.print(f"Trace {answer['trace_id']}: {count} spans, {whole:.2f} ms (* is the critical path)", soft_wrap=True)
    told: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        told.setdefault(line.get("span_id", ""), []).append(line)
    for depth, span in _in_tree(spans):
        console.print(
            _bar(span, depth, (start_of(span) - begin) / whole, whole, colours[_service(span)]), soft_wrap=True
        )
        for line in told.pop(span["span_id"], []):
            console.print(_said(line, depth + 1), soft_wrap=True)
    for line in (line for rest in told.values() for line in rest):
        console.print(_said(line, 0), soft_wrap=True)


def _bar(span: dict[str, Any], depth: int, begin: float, whole: float, colour: str) -> Text:
    from rich.text import Text

    offset = min(round(begin * _WIDTH), _WIDTH - 1)
    length = max(1, min(round(span["duration_ms"] / whole * _WIDTH), _WIDTH - offset))
    line = Text(" " * offset)
    line.append("█" * length, style="red" if span["status"] == "ERROR" else colour)
    line.pad_right(max(0, _WIDTH + 1 - line.cell_len))
    line.append("* " if span["critical"] else "  ", style="bold")
    line.append(f"{span['duration_ms']:>10.2f} ms  ", style="dim").append("  " * min(depth, _DEEPEST))
    return line.append(_service(span), style=f"bold {colour}").append(f" {span['name']}")


def _said(line: dict[str, Any], depth: int) -> Text:
    from rich.text import Text

    made = Text(" " * (_WIDTH + 18) + "  " * min(depth, _DEEPEST), style="dim")
    return made.append(f"{str(line['time'])[11:23]} {line.get('severity', '')} {line['body']}")


def _service(span: dict[str, Any]) -> str:
    return str(span["resource"].get("service.name", "?"))


def _in_tree(spans: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Spans in the order of the tree, each with its depth; a span whose parent is missing is a root."""
    ids = {span["span_id"] for span in spans}
    children: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        parent = span["parent_span_id"] if span["parent_span_id"] in ids - {span["span_id"]} else ""
        children.setdefault(parent, []).append(span)
    ordered, stack = [], [(0, span) for span in reversed(children.get("", []))]
    while stack:
        depth, span = stack.pop()
        ordered.append((depth, span))
        stack.extend((depth + 1, child) for child in reversed(children.pop(span["span_id"], [])))
    return ordered


def start_of(span: dict[str, Any]) -> float:
    """Milliseconds since the epoch."""
    return datetime.fromisoformat(span["start"][:26] + "+00:00").timestamp() * 1000
