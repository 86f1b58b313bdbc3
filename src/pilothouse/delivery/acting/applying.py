"""Effects done on a forge. Each may be done again: what is so already stays so, and a comment has a key of its own."""

from __future__ import annotations

from collections.abc import Callable

from pilothouse.delivery.acting import effects_json
from pilothouse.delivery.acting.cherry_picking import cherry_pick
from pilothouse.delivery.acting.loading import Loaded, Loading
from pilothouse.delivery.acting.records import KeptDecision
from pilothouse.delivery.acting.running import Jobs, job_uid
from pilothouse.delivery.acting.store import DeliveryStore
from pilothouse.delivery.acting.target import Target
from pilothouse.delivery.chat import effects as do
from pilothouse.delivery.forges import AccessError, ConflictError, InvalidError, MissingError, Status


class Applying:
    """Does what was decided, in order, from where it was left."""

    def __init__(self, loading: Loading, store: DeliveryStore, jobs: Jobs, explain: Callable[[Loaded], str]) -> None:
        """`explain` writes the answer to `/why`."""
        self._loading, self._store, self._jobs, self._explain = loading, store, jobs, explain

    def apply(self, decision: KeptDecision, loaded: Loaded, comment: str = "") -> None:
        """Do what is not done yet. What the forge refuses is written down; when it does not answer, this raises."""
        for position, (text, state, _) in enumerate(decision.effects):
            if state != "planned":
                continue
            reason = ""
            try:
                self._one(effects_json.from_json(text), f"{decision.delivery}/{position}", loaded, comment)
            except (AccessError, ConflictError, InvalidError, MissingError) as error:
                reason = str(error) or type(error).__name__
            self._store.effect_done(decision.id, position, reason)

    def _one(self, effect: do.Effect, key: str, loaded: Loaded, comment: str) -> None:
        forge, repository, number = self._loading.forge, loaded.raw.repository, loaded.raw.number
        match effect:
            case do.AddLabel(name):
                forge.add_labels(repository, number, [name])
            case do.RemoveLabel(name):
                forge.remove_labels(repository, number, [name])
            case do.Say(text):
                forge.add_comment(repository, number, text, key=_comment_key(text, key))
            case do.Assign(logins):
                forge.assign(repository, number, logins)
            case do.Unassign(logins):
                forge.unassign(repository, number, logins)
            case do.RequestReview(logins):
                forge.request_review(repository, number, logins)
            case do.UnrequestReview(logins):
                forge.unrequest_review(repository, number, logins)
            case do.SetStatus(context, state, description):
                forge.set_status(repository, loaded.pull.head, Status(state, description, context))  # type: ignore[arg-type]
            case do.Close():
                forge.close(repository, number)
            case do.Reopen():
                forge.reopen(repository, number)
            case do.Retitle(title):
                forge.set_title(repository, number, title)
            case do.SetMilestone(title):
                forge.set_milestone(repository, number, title)
            case do.Trust(commit):
                self._store.trust(forge.name, repository, number, commit)
            case do.Abort(commit):
                keep = commit if loaded.pull.state == "open" else ""
                self._jobs.abort(forge.name, repository, number, keep, _why_ended(loaded))
            case do.Cancel(jobs, commit, by):
                self._jobs.cancel(forge.name, repository, number, commit, jobs, f"cancelled by {by}")
            case do.Run(jobs, commit):
                self._run(jobs, commit, key, loaded, comment)
            case do.CherryPick(branch, by):
                cherry_pick(forge, self._loading.mirror(repository), loaded.raw, branch, key, by)
            case do.Explain():
                forge.add_comment(repository, number, self._explain(loaded), key=key)

    def _run(self, names: tuple[str, ...], commit: str, key: str, loaded: Loaded, comment: str) -> None:
        if loaded.pull.head != commit or not loaded.revision:
            # Its head moved on, or it conflicts: the push that follows, or the answer to /why, says the rest.
            return
        mirror = self._loading.mirror(loaded.raw.repository)
        source = loaded.base if loaded.from_base else loaded.revision

        def file(path: str) -> str | None:
            return mirror.texts(source, lambda one: one == path).get(path)

        for name in names:
            definition = loaded.config.named(name)
            if definition is not None:
                target = Target(self._loading.forge, mirror, loaded.occasion, file)
                uid = job_uid(loaded.raw.repository, key, name)
                self._jobs.start(target, definition, uid, "presubmit", comment, confined=loaded.from_base)


def _comment_key(text: str, key: str) -> str:
    """The notice about approval is one comment that is edited, as Prow's is; all others are said once each."""
    return "approval" if text.startswith("[APPROVALNOTIFIER]") else key


def _why_ended(loaded: Loaded) -> str:
    return "a newer commit is tested" if loaded.pull.state == "open" else f"the pull request is {loaded.pull.state}"
