"""Why a pull request does not merge and why its jobs ran or did not, from what was written down when it was decided."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.acting.batches import of_batch
from pilothouse.delivery.acting.effects_json import from_json, in_words
from pilothouse.delivery.acting.loading import Loaded
from pilothouse.delivery.acting.records import OPEN, KeptJob
from pilothouse.delivery.acting.settings import Settings
from pilothouse.delivery.acting.store import DeliveryStore
from pilothouse.delivery.chat import Policy, PullRequest
from pilothouse.delivery.chat.approving import LABEL, approval
from pilothouse.delivery.chat.quoting import quoted
from pilothouse.delivery.merging import why_not


def reasons(loaded: Loaded) -> tuple[str, ...]:
    """Why it does not merge; empty when it may."""
    found = reasons_of(loaded.pull, loaded.policy, loaded.settings)
    return tuple(dict.fromkeys([*found, *([loaded.conflict] if loaded.conflict else [])]))


def reasons_of(pull: PullRequest, policy: Policy, settings: Settings) -> tuple[str, ...]:
    """The same from values."""
    found = list(why_not(pull, policy, settings.merge.queries, settings.merge.contexts))
    if pull.state == "open" and (quarrel := settings.merge.methods.quarrel(pull.labels)):
        found.append(quarrel)
    if settings.broken:
        found.append(settings.broken)
    if LABEL not in pull.labels and policy.owners.files and pull.state == "open":
        state = approval(pull, policy)
        if state.missing:
            ask = f"; ask {', '.join(state.suggested)}" if state.suggested else ""
            found.append(f"nobody who may approve {', '.join(state.missing)} has said /approve{ask}")
    return tuple(dict.fromkeys(found))


class Explaining:
    """Answers from the store; `pool` gives a branch's merge pool as the API has it."""

    def __init__(self, store: DeliveryStore, pool: Any) -> None:
        self._store, self._pool = store, pool

    def why(self, forge: str, repository: str, number: int) -> dict[str, Any] | None:
        """All that is known, or None where nothing is."""
        pull = self._store.pull(forge, repository, number)
        if pull is None:
            return None
        decisions = self._store.decisions(repository, number, limit=20)
        jobs = self._store.jobs(repository, number, head=pull.head)
        records = decisions[0].records if decisions else ()
        return {
            **pull.to_json(),
            "merges": not pull.why and pull.state == "open",
            "reasons": list(pull.why),
            "pool": self._standing(self._pool(forge, repository, pull.base), number, pull.head),
            "jobs": _jobs(records, jobs),
            "records": [one for one in records if one["about"] != "job"],
            "decisions": [
                {
                    "at": one.at, "event": one.kind, "by": one.author, "head": one.head,
                    "did": [
                        {"effect": in_words(from_json(text)), "state": state, "reason": reason}
                        for text, state, reason in one.effects
                    ],
                }
                for one in decisions
            ],
        }  # fmt: skip

    def in_words(self, forge: str, repository: str, number: int, now: tuple[str, ...]) -> str:
        """The answer to `/why` as a comment; `now` are the reasons as they are now."""
        found = self.why(forge, repository, number)
        lines = (
            ["It does not merge:", *(f"- {_safe(one)}" for one in now)]
            if now
            else ["Nothing stands against its merge."]
        )
        if found:
            if words := found["pool"]["words"]:
                lines += ["", f"Merge pool: {_safe(words)}."]
            if batch := found["pool"]["batch"]:
                lines += ["", "The last batch with it that failed:", *(f"- {_safe(one['words'])}" for one in batch)]
            if found["jobs"]:
                lines += ["", "Jobs:", *(f"- `{quoted(one['job'])}`: {_safe(one['words'])}" for one in found["jobs"])]
            lines += [
                f"- {_safe(one['words'])}"
                for one in found["records"]
                if one["about"] == "files" and one["subject"] == "broken"
            ]
        return "\n".join(lines)

    def _standing(self, pool: dict[str, Any], number: int, head: str) -> dict[str, Any]:
        """Where a pull request is in the merge pool."""
        queue = [one["number"] for one in pool["queue"]]
        history = [one for one in pool["history"] if number in one["changes"]]
        last = history[-1] if history else {"what": "", "words": ""}
        said = " ".join(last["words"].split())
        words = ""
        if {"number": number, "head": head} in pool["out"]:
            words = "it was put out: its tests fail on what it would be merged onto; push a change, or say /retest"
        elif number in pool["merging"]:
            words = "it is being merged"
            if last["what"] == "not taken":
                words += f"; the forge has not taken it yet: {said}"
        elif number in queue:
            trees = [one["changes"] for one in pool["testing"] if number in one["changes"]]
            words = f"it is number {queue.index(number) + 1} of {len(queue)}"
            if trees:
                shown = " and ".join(", ".join(f"#{one}" for one in changes) for changes in trees)
                words += f"; tested now: {shown}"
        elif last["what"] == "not merged":
            words = f"it was tested, and the forge did not merge it: {said}; say /retest to try again"
        return {
            "words": words, "place": queue.index(number) + 1 if number in queue else None,
            "batch": list(of_batch(pool["history"], number)),
            "history": history[-10:],
        }  # fmt: skip


def _jobs(records: tuple[dict[str, str], ...], jobs: list[KeptJob]) -> list[dict[str, Any]]:
    """Each job of the last decision with what became of it for the head."""
    newest: dict[str, KeptJob] = {}
    for job in jobs:
        if job.kind == "presubmit":
            newest.setdefault(job.job, job)
    found = []
    for one in records:
        if one["about"] != "job":
            continue
        found.append(_with(one["subject"], one["words"], newest.get(one["subject"])))
    seen = {one["job"] for one in found}
    return found + [_with(name, "", job) for name, job in newest.items() if name not in seen]


def _with(name: str, decided: str, job: KeptJob | None) -> dict[str, Any]:
    if job is None:
        return {"job": name, "words": decided if decided != "it runs by itself" else "it has not run yet", "run": None,
                "state": None}  # fmt: skip
    state = "runs" if job.state in OPEN else job.state
    words = f"{state} on {job.base[:12]}" + (f": {job.description}" if job.description else "")
    return {"job": name, "words": words, "run": job.run, "state": job.state}


def _safe(text: str) -> str:
    """A reason holds others' words; they must not mention people or become markup."""
    return text.replace("<", "&lt;").replace("@", "@\u200b").replace("\n", " ")[:500]
