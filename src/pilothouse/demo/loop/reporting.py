"""What the demo says at the end: the fate of each change, why, and whether that was planted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pilothouse.demo.loop.changes import of

if TYPE_CHECKING:
    from rich.console import Console

    from pilothouse.demo.loop.tale import Outcome

_WORDS = {"rolled_back": "rolled back", "deployed": "in production", "refused": "not merged", "paused": "paused"}
_STYLES = {"rolled_back": "bold red", "deployed": "bold green", "refused": "bold red"}


def otherwise(outcomes: Sequence[Outcome], scenario: str) -> list[str]:
    """In words, what went otherwise than planted; empty when all of it is as planted."""
    found = [
        f"{outcome.change.title!r} is {_WORDS.get(outcome.fate, outcome.fate)}, not {_WORDS[outcome.change.fate]}"
        for outcome in outcomes
        if outcome.fate != outcome.change.fate
    ]
    if missing := of(scenario)[len(outcomes) :]:
        found.append(f"{missing[0].title!r} did not get its turn")
    for outcome in outcomes:
        said = " ".join([*outcome.evidence.get("findings", []), *outcome.evidence.get("stories", [])])
        if outcome.fate == "rolled_back" and not any(text in said for _, text in outcome.change.told):
            names = ", ".join(text for _, text in outcome.change.told)
            found.append(f"the verdict on {outcome.version} names none of {names}")
    return found


def print_outcomes(console: Console, outcomes: Sequence[Outcome], base_url: str) -> None:
    """Each change with its fate, the story of a bad verdict, and links to the page."""
    for outcome in outcomes:
        console.print()
        console.print(outcome.change.title, style="bold", end="  ", markup=False, highlight=False)
        console.print(_WORDS.get(outcome.fate, outcome.fate), style=_STYLES.get(outcome.fate, "bold"), highlight=False)
        _line(console, f"planted      {outcome.change.planted}")
        _line(console, f"pull request {base_url}/delivery/pulls/shop/checkout/{outcome.number}")
        if outcome.version:
            _line(console, f"release      {base_url}/releases/checkout/{outcome.version}")
        for event in outcome.rollout.get("events", []):
            if event["kind"] in ("set", "rolled_back", "succeeded", "paused", "verdict"):
                _line(console, f"{event['kind'].replace('_', ' '):12} {event['words']}")
        for title in [*outcome.evidence.get("stories", []), *outcome.evidence.get("findings", [])][:8]:
            _line(console, f"{'evidence':12} {title}")
        for comment in outcome.comments:
            _line(console, f"{'said there':12} {comment.strip().splitlines()[0]}")


def _line(console: Console, text: str) -> None:
    console.print(f"  {text}", markup=False, highlight=False, soft_wrap=True)
