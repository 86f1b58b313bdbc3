"""`pilothouse profiles diff`: what a release changed, and what of it is no noise."""

from __future__ import annotations

import shutil
from typing import Annotated, Any

import typer

from pilothouse.cli.client import (
    DEFAULT_SERVER,
    End,
    Output,
    Server,
    Since,
    Start,
    ask,
    fail,
    print_lines,
    wants_json,
)
from pilothouse.cli.profile_wording import Function, Kind, Labels, Selector, Span, amount, change, profiles, table, who

app = typer.Typer()
_WIDE, _NARROW = 150, 100


@app.command(
    "diff",
    epilog="Examples: pilothouse profiles diff checkout --baseline 1.0.0 --candidate 2.0.0 --since 1h  |  "
    "pilothouse profiles diff checkout --baseline 1.0.0 --candidate 2.0.0 --per request",
)
def diff(
    selector: Selector,
    baseline: Annotated[str, typer.Option(help="A version, or labels.")],
    candidate: Annotated[str, typer.Option(help="A version, or labels.")],
    type: Kind = None, function: Function = None, labels: Labels = None, span: Span = None,
    per: Annotated[str, typer.Option(help="total (in the baseline's time), second, request, share.")] = "total",
    level: Annotated[float, typer.Option(help="How sure all intervals together are to hold.")] = 0.999,
    every: Annotated[bool, typer.Option("--all", help="Also what may be noise.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many functions.")] = 25,
    since: Since = None, start: Start = None, end: End = None, output: Output = None, server: Server = DEFAULT_SERVER,
) -> None:  # fmt: skip
    """What changed from one release to another: functions whose cost moved by more than noise, on one scale.

    Each change has an interval that holds for all functions at once; what may be noise is left out (--all shows it).
    """
    as_json = wants_json(output)
    answer = ask(
        server, "/api/profiles/diff", **who(selector), baseline=baseline, candidate=candidate, type=type, limit=limit,
        function=function, labels=labels, span=span, per=per, level=level, since=since, start=start, end=end, nodes=16,
    )  # fmt: skip
    if as_json:
        print_lines(answer["functions"])
        return
    found = [one for one in answer["functions"] if every or one["self_found"] or one["found"]]
    for side, name in (("baseline", baseline), ("candidate", candidate)):
        if not answer[f"{side}_profiles"]:
            fail(f"no profile of {side} {name} in this time; try a longer --since")
    _print_difference(answer, found, baseline, candidate)


def _print_difference(answer: dict[str, Any], found: list[dict[str, Any]], baseline: str, candidate: str) -> None:
    unit, known = answer["unit"], {"total": " in the baseline's time", "share": " (brought to the same sum)"}
    per = known.get(answer["per"], f" a {answer['per']}")
    typer.echo(
        f"{answer['type']}: {amount(answer['baseline_total'], unit)} -> "
        f"{amount(answer['candidate_total'], unit)}{per}, "
        f"{answer['baseline_profiles']} and {profiles(answer['candidate_profiles'])}"
    )
    if not found:
        enough = any(one["self_interval"] for one in answer["functions"])
        reason = "no function changed by more than noise" if enough else "too few profiles to tell a change from noise"
        typer.echo(f"{reason[0].upper()}{reason[1:]}; --all shows what moved.")
        return
    # In a narrow terminal the names are worth more than the bounds of the sums and the way to the file.
    columns = shutil.get_terminal_size().columns
    wide, narrow = columns >= _WIDE, columns < _NARROW
    if narrow:
        rows = [
            (change(one["baseline_self"], one["candidate_self"], unit), amount(one["baseline_self"], unit),
             amount(one["candidate_self"], unit), one["function"])
            for one in found
        ]  # fmt: skip
        table(("self", baseline, candidate, "function"), rows, right=3)
        return
    rows = [
        (change(one["baseline_self"], one["candidate_self"], unit), _interval(one["self_interval"], unit),
         amount(one["baseline_self"], unit), amount(one["candidate_self"], unit),
         change(one["baseline"], one["candidate"], unit), *([_interval(one["interval"], unit)] if wide else []),
         one["function"], one["file"] if wide else one["file"].rpartition("/")[2])
        for one in found
    ]  # fmt: skip
    heads = ("self", "between", baseline, candidate, "with callees", *(["between"] if wide else []), "function", "file")
    table(heads, rows, right=6 if wide else 5)


def _interval(bounds: list[float] | None, unit: str) -> str:
    return f"[dim]{_signed(bounds[0], unit)} .. {_signed(bounds[1], unit)}[/dim]" if bounds else "[dim]?[/dim]"


def _signed(value: float, unit: str) -> str:
    return f"{'-' if value < 0 else '+'}{amount(abs(value), unit)}"
