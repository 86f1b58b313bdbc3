"""Several commands in one comment: which of them count where they say different things.

Source: kubernetes-sigs/prow, `pkg/plugins/hold/hold.go` (what lifts a hold goes before one), `lgtm/lgtm.go` (an lgtm
goes before its cancel), `retitle/retitle.go` and `milestone/milestone.go` (the first counts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pilothouse.delivery.chat.reading import Command

_FIRST_ONLY = ("retitle", "milestone")


def counting(found: Iterable[Command]) -> list[Command]:
    """The commands that count, in order."""
    kept = list(found)
    kept = _rather(kept, lifts_hold, lambda one: one.word == "hold" and not lifts_hold(one))
    kept = _rather(kept, gives_lgtm, takes_lgtm)
    seen: set[str] = set()
    counted = []
    for command in kept:
        if command.word in _FIRST_ONLY and command.word in seen:
            continue
        seen.add(command.word)
        counted.append(command)
    return counted


def lifts_hold(command: Command) -> bool:
    """`/hold cancel`, `/unhold`, `/remove-hold`, whatever is said after it."""
    first = command.words[0].lower() if command.words else ""
    return command.word in ("unhold", "remove-hold") or (command.word == "hold" and first == "cancel")


def gives_lgtm(command: Command) -> bool:
    """`/lgtm`, `/lgtm no-issue`."""
    return command.word == "lgtm" and command.rest.lower() in ("", "no-issue")


def takes_lgtm(command: Command) -> bool:
    """`/lgtm cancel`, `/remove-lgtm`."""
    return (command.word, command.rest.lower()) in (("lgtm", "cancel"), ("remove-lgtm", ""))


def _rather(found: list[Command], wins: Callable[[Command], bool], loses: Callable[[Command], bool]) -> list[Command]:
    return [one for one in found if not loses(one)] if any(map(wins, found)) else found
