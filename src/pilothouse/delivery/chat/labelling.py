"""`/label`, the label families, `/hold` and `/lifecycle`.

Source: Prow's plugins label, hold and lifecycle (https://docs.prow.k8s.io/docs/components/plugins/,
kubernetes-sigs/prow `pkg/plugins/label/label.go`, `hold/hold.go`, `lifecycle/lifecycle.go`).
"""

from __future__ import annotations

from collections.abc import Iterator

from pilothouse.delivery.chat.blocking import HOLD
from pilothouse.delivery.chat.effects import AddLabel, Effect, RemoveLabel, Say
from pilothouse.delivery.chat.model import Event, Policy, PullRequest
from pilothouse.delivery.chat.quoting import quoted
from pilothouse.delivery.chat.reading import Command
from pilothouse.delivery.chat.several import lifts_hold

FAMILIES = ("area", "committee", "kind", "language", "priority", "sig", "triage", "wg")
_LIFECYCLE = ("active", "frozen", "stale", "rotten")


def family(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/kind bug`, `/remove-area ui`: labels of these families that the repository has."""
    removing = command.word.startswith("remove-")
    prefix = command.word.removeprefix("remove-")
    missing = []
    for word in dict.fromkeys(command.rest.lower().split()):
        label = f"{prefix}/{word}"
        if not removing and label in pull.labels:
            continue
        if label not in (pull.labels if removing else policy.labels):
            missing.append(label)
        elif not removing and label == "triage/accepted" and not policy.is_member(event.author):
            yield Say("`triage/accepted` is for members of the organisation to set.")
        elif refused := _refused(label, policy, event):
            yield refused
        else:
            yield RemoveLabel(label) if removing else AddLabel(label)
    if missing:
        said = "These labels are not set" if removing else "The repository does not have these labels"
        yield Say(f"{said}: {', '.join(f'`{quoted(label)}`' for label in missing)}.")


def label(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/label NAME`, `/remove-label NAME`: those that the configuration allows."""
    name = command.rest.strip()
    if not name:
        yield Say(f"`/{command.word}` needs the name of a label.")
        return
    known = {one.lower(): one for one in policy.additional_labels | policy.restricted_labels.keys()}
    wanted = known.get(name.lower())
    if not wanted:
        allowed = ", ".join(f"`{one}`" for one in sorted(known.values())) or "none"
        yield Say(f"The label `{quoted(name)}` cannot be set by `/{command.word}`. These can: {allowed}.")
        return
    if refused := _refused(wanted, policy, event):
        yield refused
    elif command.word.startswith("remove-"):
        yield RemoveLabel(wanted) if wanted in pull.labels else Say(f"The label `{wanted}` is not set.")
    elif wanted not in pull.labels:
        yield AddLabel(wanted)


def _refused(label: str, policy: Policy, event: Event) -> Say | None:
    """What is answered where a label is for few; a family's label may be too."""
    allowed_to = policy.restricted_labels.get(label)
    if allowed_to is None or event.author.lower() in {login.lower() for login in allowed_to}:
        return None
    return Say(f"The label `{label}` is for {', '.join(sorted(allowed_to)) or 'nobody'} to set.")


def hold(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/hold [reason]`, `/hold cancel`, `/unhold`, `/remove-hold`: anybody may."""
    lifting = lifts_hold(command)
    if lifting and HOLD in pull.labels:
        yield RemoveLabel(HOLD)
    elif not lifting and HOLD not in pull.labels:
        yield AddLabel(HOLD)


def lifecycle(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/lifecycle active|stale|rotten`, `/remove-lifecycle ...`: one at a time; frozen is for issues only."""
    state = command.rest.lower()
    if state not in _LIFECYCLE:
        return
    wanted = f"lifecycle/{state}"
    if state == "frozen" and command.word == "lifecycle":
        yield Say("`lifecycle/frozen` cannot be set on pull requests.")
        return
    if command.word.startswith("remove-"):
        if wanted in pull.labels:
            yield RemoveLabel(wanted)
        return
    yield from (RemoveLabel(f"lifecycle/{other}") for other in _LIFECYCLE
                if other != state and f"lifecycle/{other}" in pull.labels)  # fmt: skip
    if wanted not in pull.labels:
        yield AddLabel(wanted)
