"""Labels that a pull request gets by what it is: unfinished, its size, conflicts, blocked paths, bad commits, DCO.

Source: Prow's plugins wip, size, needs-rebase, blockade, invalidcommitmsg, mergecommitblocker, verify-owners,
owners-label and dco (https://docs.prow.k8s.io/docs/components/plugins/, kubernetes-sigs/prow `pkg/plugins`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import re2

from pilothouse.delivery.chat.effects import AddLabel, Effect, RemoveLabel, Say, SetStatus
from pilothouse.delivery.chat.model import Event, Policy, PullRequest
from pilothouse.delivery.chat.quoting import quoted
from pilothouse.delivery.chat.reading import Command

_WIP = re.compile(r"(?i)^\W?WIP\W")
# What makes a forge close issues by itself when a commit lands, and commits that are to be squashed into others.
CLOSES = re.compile(r"(?i)(?:close[sd]?|fix(?:es|ed)?|resolve[sd]?)[\s:]+(?:[\w.-]+/[\w.-]+)?#\d+")
_PASSING = re.compile(r"(?:fixup|squash|amend)!")
_MERGE = re.compile(r"Merge (?:branch|remote-tracking branch|pull request|commit|tag) ")
_SIGNED = re.compile(r"(?im)^signed-off-by:")
_SIZES = ((1000, "XXL"), (500, "XL"), (100, "L"), (30, "M"), (10, "S"), (0, "XS"))
WIP, CONFLICT, PATHS = "do-not-merge/work-in-progress", "needs-rebase", "do-not-merge/blocked-paths"
MESSAGE, OWNERS, HOLD = "do-not-merge/invalid-commit-message", "do-not-merge/invalid-owners-file", "do-not-merge/hold"
MERGES = "do-not-merge/contains-merge-commits"
DCO_YES, DCO_NO, DCO = "dco-signoff: yes", "dco-signoff: no", "dco"
_WHY = {
    MESSAGE: "Titles and commits must not close issues by themselves (`fixes #1`), and commits that begin with "
    "`fixup!`, `squash!` or `amend!` have to be squashed: `git rebase --autosquash`. `/retitle` changes the title.",
    MERGES: "Merge commits are not wanted here: put the commits on top of the base branch with `git rebase`.",
    DCO_NO: "Every commit has to be signed off: `git commit --amend --signoff`, or `git rebase --signoff` for several. "
    "`/check-dco` looks again.",
}


def size_label(pull: PullRequest, policy: Policy) -> str:
    """The label of the number of changed lines; generated files do not count."""
    lines = sum(
        file.additions + file.deletions
        for file in pull.files
        if file.path not in policy.generated
        and not any(re2.search(pattern, file.path) for pattern in policy.generated_paths)
    )
    return f"size/{next(name for least, name in _SIZES if lines >= least)}"


def labels(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    """What has to change about these labels."""
    wanted = {
        WIP: pull.draft or bool(_WIP.match(pull.title)),
        CONFLICT: pull.conflicts,
        PATHS: any(re2.search(pattern, file.path) for pattern in policy.blocked_paths for file in pull.files),
        MESSAGE: bool(CLOSES.search(pull.title)) or any(map(_is_bad, pull.commits)),
        OWNERS: bool(pull.owners_problems),
        MERGES: policy.block_merge_commits and pull.merge_commits,
    }
    if policy.require_dco:
        # Merge commits are made by git and need none, as in Prow.
        signed = all(_SIGNED.search(message) for message in pull.commits if not _MERGE.match(message))
        wanted |= {DCO_YES: signed, DCO_NO: not signed}
        yield from _dco_status(pull, signed)
    size = size_label(pull, policy)
    wanted |= {label: False for label in pull.labels if label.startswith("size/")} | {size: True}
    wanted |= dict.fromkeys(policy.owners.labels(file.path for file in pull.files), True)
    for label, yes in wanted.items():
        if yes and label not in pull.labels:
            yield AddLabel(label)
            if why := _why(label, pull):
                yield Say(why)
        elif not yes and label in pull.labels:
            yield RemoveLabel(label)


def verify_owners(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/verify-owners`: what is wrong with the OWNERS files that it changes. The label follows by itself."""
    if pull.owners_problems and OWNERS in pull.labels:
        yield Say(_broken(pull))


def check_dco(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/check-dco`: anybody; label and status follow by themselves, and what is missing is said again."""
    if policy.require_dco and DCO_NO in pull.labels and not all(map(_SIGNED.search, pull.commits)):
        yield Say(_WHY[DCO_NO])


def _is_bad(message: str) -> bool:
    return bool(CLOSES.search(message) or _PASSING.match(message))


def _why(label: str, pull: PullRequest) -> str:
    if label == OWNERS:
        return _broken(pull)
    if label == CONFLICT:
        # What Dependabot and its like do by themselves when asked.
        ask = f"@{quoted(pull.author.removesuffix('[bot]'))} rebase" if pull.author == "dependabot[bot]" else ""
        return ask or f"It conflicts with `{quoted(pull.base)}` and needs a rebase: `git rebase`, and push again."
    return _WHY.get(label, "")


def _broken(pull: PullRequest) -> str:
    files = "\n".join(f"- `{quoted(path)}`: {quoted(reason)}" for path, reason in pull.owners_problems)
    return f"These files of owners are wrong; `/verify-owners` looks again:\n{files}"


def _dco_status(pull: PullRequest, signed: bool) -> Iterator[Effect]:
    state = "success" if signed else "failure"
    known = pull.statuses.get(DCO)
    if known is None or known.state != state:
        words = "All commits are signed off" if signed else "Not all commits are signed off"
        yield SetStatus(DCO, state, words)
