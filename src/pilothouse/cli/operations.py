"""Operations of many traces in the terminal: where time goes, and what two versions do differently."""

from __future__ import annotations

from typing import Any

_BAR = 24
_STYLES = {"slower": "red", "faster": "green", "new": "yellow", "gone": "yellow"}
_DEEPEST = 24


def print_spending(answer: dict[str, Any]) -> None:
    """Operations by their share of the traces' time."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not answer["operations"]:
        console.print("No trace fits. Widen --since, or ask for less.")
        return
    table = Table("share", "", "a trace", "service", "operation", "in traces", box=None, header_style="dim")
    for row in answer["operations"]:
        bar = Text("█" * max(1, round(row["share"] * _BAR)), style="cyan")
        cells = (
            f"{row['milliseconds']:.2f} ms", row["service"], row["name"], f"{row['traces']} of {answer['traces']}",
        )  # fmt: skip
        table.add_row(Text(f"{row['share']:6.1%}"), bar, *map(Text, cells))
    console.print(f"Where {answer['traces']} traces spend their time (on the critical path):")
    console.print(table)


def print_comparison(answer: dict[str, Any]) -> None:
    """The tree of operations of both versions, what is surely slower or faster in colours."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    baseline, candidate = answer["baseline"], answer["candidate"]
    lacking = [side["version"] for side in (baseline, candidate) if not side["trees"]]
    if lacking:
        console.print(
            f"No trace of {answer['service']} {' and '.join(lacking)}. Widen --since, or look at the versions.",
            highlight=False,
        )
        return
    table = Table(
        "operation", f"{baseline['version']} median", f"{candidate['version']} median", "change", "own time", "errors",
        "", box=None, header_style="dim",
    )  # fmt: skip
    for row in answer["operations"]:
        before, after, style = row["baseline"], row["candidate"], _STYLES.get(row["verdict"], "")
        name = Text("  " * min(row["depth"], _DEEPEST))
        name.append(row["service"], style="bold").append(f" {row['name']}")
        cells = (
            _milliseconds(before, "p50_ms"), _milliseconds(after, "p50_ms"), _change(row["change"]),
            f"{_milliseconds(before, 'own_ms')} → {_milliseconds(after, 'own_ms')}", _errors(before, after),
        )  # fmt: skip
        table.add_row(name, *map(Text, cells), Text(row["verdict"], style=style))
    console.print(
        f"{answer['service']}: {candidate['version']} ({candidate['trees']} traces) beside {baseline['version']} "
        f"({baseline['trees']} traces); own time is on the critical path, a trace"
    )
    console.print(table)


def _milliseconds(side: dict[str, Any] | None, measure: str) -> str:
    return f"{side[measure]:.2f} ms" if side else "-"


def _change(change: float | None) -> str:
    return "" if change is None else f"{change:+.0%}"


def _errors(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    first, second = ((side or {"errors": 0})["errors"] for side in (before, after))
    return f"{first} → {second}" if first or second else ""
