"""Effects as JSON and back, so that what is planned outlives the process."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from pilothouse.delivery.chat import effects

_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        effects.AddLabel, effects.RemoveLabel, effects.Say, effects.Assign, effects.Unassign, effects.RequestReview,
        effects.UnrequestReview, effects.Run, effects.Trust, effects.Abort, effects.SetStatus, effects.Close,
        effects.Reopen, effects.Cancel, effects.Retitle, effects.CherryPick, effects.SetMilestone, effects.Explain,
    )
}  # fmt: skip


def to_json(effect: effects.Effect) -> str:
    """One effect as text."""
    return json.dumps({"do": type(effect).__name__, **asdict(effect)}, ensure_ascii=False)


def from_json(text: str) -> effects.Effect:
    """What `to_json` wrote."""
    content = json.loads(text)
    kind = _KINDS[content.pop("do")]
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in content.items()})  # type: ignore[no-any-return]


def in_words(effect: effects.Effect) -> str:
    """One effect for people."""
    content = asdict(effect)
    said = ", ".join(", ".join(value) if isinstance(value, tuple) else str(value) for value in content.values())
    return f"{type(effect).__name__}: {said}" if said else type(effect).__name__
