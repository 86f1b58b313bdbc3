"""For a terminal: findings by cause, the line with a caret, the fix as a diff."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pilothouse.hazards.model import Finding, Rule, Severity, State
from pilothouse.hazards.outputs.grouping import as_dict, by_cause, summary
from pilothouse.hazards.outputs.legible import legible
from pilothouse.hazards.reviewing import Review

_COLOURS = {
    Severity.CRITICAL: "bold white on red", Severity.HIGH: "bold red", Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan", Severity.INFO: "dim",
}  # fmt: skip


def show(review: Review, console: Console, every: bool = False) -> None:
    """Write the review; of each cause three places, or `every` one."""
    for rule, findings in by_cause(review.findings):
        _cause(review, rule, findings, console, every)
    for problem in review.problems:
        console.print(Text("cannot be read  ", "bold red") + Text(legible(str(problem))))
    for note in review.notes:
        console.print(Text("note  ", "dim") + Text(legible(note)))
    console.print(Text(summary(review) + f"  ({review.seconds:.1f} s)", "bold"))


def _cause(review: Review, rule: Rule, findings: list[Finding], console: Console, every: bool) -> None:
    severity = max(one.severity for one in findings)
    head = Text(f"{str(severity).upper():<9}", _COLOURS[severity]) + Text(f"{rule.id}  {legible(rule.title)}", "bold")
    console.print(head)
    shown = findings if every else findings[:3]
    for number, one in enumerate(shown):
        _place(one, console, with_line=number == 0)
    if len(findings) > len(shown):
        console.print(Text(f"    and {len(findings) - len(shown)} more like this (--all shows them)", "dim"))
    console.print(Text(f"    {rule.advice}", "green"))
    if rule.conflict:
        console.print(Text(f"    Other advice says otherwise: {rule.conflict}", "dim"))
    if fix := as_dict(review, findings[0])["fix"]:
        for line in legible(fix).splitlines()[2:]:
            console.print(Text(f"      {line}", "green" if line[:1] == "+" else "red" if line[:1] == "-" else "dim"))
    console.print()


def _place(one: Finding, console: Console, with_line: bool) -> None:
    where = Text(f"    {legible(str(one.place))}  " if one.place.file else "    ", "cyan")
    console.print(where + Text(legible(f"{one.subject}: {one.message}")) + _state(one.state))
    for fact in one.evidence:
        console.print(Text(f"        {legible(fact)}", "magenta"))
    if with_line and one.place.line and (line := _line(one.place.file, one.place.line)):
        number = f"{one.place.line:>6} | "
        console.print(Text(number, "dim") + Text(line))
        console.print(Text(" " * (len(number) + one.place.column - 1) + "^", "bold red"))


def _state(state: State) -> Text:
    return Text("" if state is State.LATENT else f"  [{state}]", "bold magenta" if state is State.HURTING else "dim")


@lru_cache(maxsize=64)
def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text(errors="replace").splitlines()
    except OSError:
        return []


def _line(file: str, number: int) -> str:
    lines = _lines(file)
    return legible(lines[number - 1].replace("\t", " "))[:200] if 0 < number <= len(lines) else ""
