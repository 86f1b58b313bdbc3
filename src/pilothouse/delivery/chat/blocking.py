"""Labels that a pull request gets by what it is: unfinished, its size, conflicts, blocked paths, bad commits, DCO."""

from __future__ import annotations

import re
from collections.abc import Iterator

import re2

from pilothouse.delivery.chat.effects import AddLabel, Effect, RemoveLabel
from pilothouse.delivery.chat.model import Policy, PullRequest

_WIP = re.compile(r"(?i)^\W?WIP\W")
_BAD_MESSAGE = re.compile(
    r"(?im)^(?:fixup|squash|amend)! |\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\s+#\d+|(?:^|\s)@\w"
)
_SIGNED = re.compile(r"(?im)^Signed-off-by: .+ <[^<>\s]+@[^<>\s]+>\s*$")
_SIZES = ((1000, "XXL"), (500, "XL"), (100, "L"), (30, "M"), (10, "S"), (0, "XS"))
WIP, CONFLICT, PATHS = "do-not-merge/work-in-progress", "needs-rebase", "do-not-merge/blocked-paths"
MESSAGE, OWNERS, HOLD = "do-not-merge/invalid-commit-message", "do-not-merge/invalid-owners-file", "do-not-merge/hold"
MERGES = "do-not-merge/contains-merge-commits"
DCO_YES, DCO_NO = "dco-signoff: yes", "dco-signoff: no"


def size_label(pull: PullRequest, policy: Policy) -> str:
    """The label of the number of changed lines; generated files do not count."""
    lines = sum(
        file.additions + file.deletions
        for file in pull.files
        if not any(re2.search(pattern, file.path) for pattern in policy.generated_paths)
    )
    return f"size/{next(name for least, name in _SIZES if lines >= least)}"


def labels(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    """What has to change about these labels."""
    wanted = {
        WIP: pull.draft or bool(_WIP.match(pull.title)),
        CONFLICT: pull.conflicts,
        PATHS: any(re2.search(pattern, file.path) for pattern in policy.blocked_paths for file in pull.files),
        MESSAGE: any(_BAD_MESSAGE.search(message) for message in pull.commits),
        OWNERS: bool(policy.owners.broken),
        MERGES: policy.block_merge_commits and pull.merge_commits,
    }
    if policy.require_dco:
        signed = all(_SIGNED.search(message) for message in pull.commits)
        wanted |= {DCO_YES: signed, DCO_NO: not signed}
    size = size_label(pull, policy)
    wanted |= {label: False for label in pull.labels if label.startswith("size/")} | {size: True}
    wanted |= dict.fromkeys(policy.owners.labels(file.path for file in pull.files), True)
    for label, yes in wanted.items():
        if yes and label not in pull.labels:
            yield AddLabel(label)
        elif not yes and label in pull.labels:
            yield RemoveLabel(label)
