"""What would have happened with other rules: each decision taken again from what it was taken from.

With a decision everything is kept that it was taken from (`Snapshot`): the pull request, the people, the occasion and
what was said. Taken again with other OWNERS, settings and jobs it says, exactly and without a forge, what would have
been done at that moment. What would have followed from that (a merge that did not happen) is not made up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pilothouse.delivery import chat
from pilothouse.delivery.acting import effects_json
from pilothouse.delivery.acting.explaining import reasons_of
from pilothouse.delivery.acting.loading import Loaded, Rules, jobs_of
from pilothouse.delivery.acting.records import KeptDecision
from pilothouse.delivery.chat.generated import Generated
from pilothouse.delivery.owners import OwnersTree
from pilothouse.delivery.triggering import Config, Definition, Occasion
from pilothouse.delivery.triggering.celling import CelError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_LARGEST = 400_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a decision was taken from. `policy` has the people and labels; owners and jobs come from the rules."""

    pull: chat.PullRequest
    policy: chat.Policy
    said: chat.Event
    occasion: Occasion


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision: what was done, what would have been, and why it would not merge then, before and now."""

    at: float
    repository: str
    number: int
    event: str
    author: str
    did: tuple[str, ...]
    would: tuple[str, ...]
    reasons: tuple[str, ...]
    jobs: tuple[tuple[str, str], ...]

    @property
    def differs(self) -> bool:
        """Whether something else would have been done."""
        return set(self.did) != set(self.would)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        from pilothouse.signals.timerange import to_rfc3339

        return {
            "at": to_rfc3339(int(self.at * 1e9)), "repository": self.repository, "number": self.number,
            "event": self.event, "by": self.author, "differs": self.differs, "did": list(self.did),
            "would": list(self.would), "reasons": list(self.reasons),
            "jobs": [{"job": name, "words": words} for name, words in self.jobs],
        }  # fmt: skip


def snapshot(loaded: Loaded, said: chat.Event) -> str:
    """What a decision is taken from, as JSON; empty when it is very large."""
    people = replace(loaded.policy, owners=OwnersTree(), generated=Generated(), jobs=())
    text: str = (
        _adapter().dump_json(Snapshot(loaded.pull, people, said, loaded.occasion), exclude_defaults=True).decode()
    )
    return text if len(text) <= _LARGEST else ""


def line(decision: KeptDecision) -> str:
    """A decision as a line of a file that can be replayed."""
    did = [effects_json.in_words(effects_json.from_json(one)) for one, _, _ in decision.effects]
    content = {
        "at": decision.at, "repository": decision.repository, "number": decision.number, "event": decision.kind,
        "by": decision.author, "did": did,
        "snapshot": json.loads(decision.snapshot) if decision.snapshot else None,
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False)


def replay(lines: Iterable[str], rules: Rules, repository: str = "") -> Iterator[Replayed]:
    """Take each decision (of a repository) again by other rules. Raises `ValueError` that names the line."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            content = json.loads(text)
            if content["snapshot"] is None or repository not in ("", content["repository"]):
                continue
            found = _adapter().validate_python(content["snapshot"])
            yield _again(content, found, rules)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why = f"has no {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
            raise ValueError(f"line {number}: is no decision: {why}") from None


def _again(content: dict[str, Any], found: Snapshot, rules: Rules) -> Replayed:
    people = ("bot", "collaborators", "admins", "members", "labels", "milestones", "branches")
    policy = replace(
        chat.Policy(**rules.settings.chat), **{name: getattr(found.policy, name) for name in people},
        owners=rules.owners, generated=rules.generated, jobs=tuple(jobs_of(rules.config, found.occasion)),
    )  # fmt: skip
    effects = chat.decide(found.pull, policy, found.said).effects
    return Replayed(
        float(content["at"]), str(content["repository"]), int(content["number"]), str(content["event"]),
        str(content["by"]), tuple(content["did"]), tuple(effects_json.in_words(one) for one in effects),
        reasons_of(found.pull, policy, rules.settings), tuple(_jobs(rules.config, found.occasion)),
    )  # fmt: skip


def _jobs(config: Config, occasion: Occasion) -> Iterator[tuple[str, str]]:
    for definition in config.of("presubmit"):
        yield definition.name, _words(definition, occasion)


def _words(definition: Definition, occasion: Occasion) -> str:
    try:
        return definition.why_not(occasion) or "it runs by itself"
    except CelError as error:
        return str(error)


@cache
def _adapter() -> TypeAdapter[Snapshot]:
    from pydantic import TypeAdapter

    return TypeAdapter(Snapshot)
