"""`/cherry-pick BRANCH`: a pull request for another branch, with the change on it."""

from __future__ import annotations

from pilothouse.delivery import forges
from pilothouse.delivery.acting.mirror import Change, Mirror
from pilothouse.delivery.forges import Forge, MergeError, User


def cherry_pick(forge: Forge, mirror: Mirror, raw: forges.PullRequest, branch: str, key: str, by: str = "") -> None:
    """Open it when the change is merged, for whoever asked; before, say that it will be. Raises `ForgeError`."""
    repository = raw.repository
    if raw.state != "merged":
        forge.add_labels(repository, raw.number, [f"cherrypick/{branch}"])
        forge.add_comment(repository, raw.number, f"It is put on `{branch}` once it is merged.", key=key)
        return
    mirror.fetch(
        forge.remote(repository),
        {f"refs/heads/{branch}": f"heads/{branch}", forge.pull_ref(raw.number): f"pull/{raw.number}"},
    )
    title = f"[{branch}] {raw.title}"
    change = Change(raw.number, raw.head.sha, f"{title}\n\nCherry-picked from #{raw.number}.\n", User(raw.author))
    try:
        commit = mirror.picked(mirror.fetched(f"heads/{branch}"), _before(forge, raw), change)
    except MergeError as error:
        text = f"It cannot be put on `{branch}` by itself: {error}"
        forge.add_comment(repository, raw.number, text, key=key)
        return
    ours = f"cherry-pick-{raw.number}-to-{branch}".replace("/", "-")
    mirror.push(forge.remote(repository, write=True), commit, f"refs/heads/{ours}")
    made = forge.create_pull_request(repository, ours, branch, title, f"Cherry-picked from #{raw.number}.")
    if by:
        forge.assign(repository, made.number, [by])
    forge.add_comment(repository, raw.number, f"It is put on `{branch}` by #{made.number}.", key=key)


def _before(forge: Forge, raw: forges.PullRequest) -> str:
    """The commit that the change was begun on."""
    commits = forge.commits(raw.repository, raw.number)
    if not commits or not commits[0].parents:
        raise MergeError("its first commit has no parent")
    return commits[0].parents[0]


def wanted(labels: frozenset[str]) -> list[str]:
    """The branches that a change is to be put on once it is merged."""
    return sorted(label.removeprefix("cherrypick/") for label in labels if label.startswith("cherrypick/"))
