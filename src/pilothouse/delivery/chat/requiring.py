"""Labels that every pull request has to have one of: `needs-kind` until it has a `kind/...`.

Source: Prow's plugin require-matching-label (kubernetes-sigs/prow `pkg/plugins/require-matching-label`), by which
`needs-kind`, `needs-priority`, `needs-sig` and `needs-triage` come about.
"""

from __future__ import annotations

from collections.abc import Iterator

import re2

from pilothouse.delivery.chat.effects import AddLabel, Effect, RemoveLabel, Say
from pilothouse.delivery.chat.model import Policy, PullRequest


def labels(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    """What has to change about the labels that say that another is missing. Several rules may share such a label."""
    missing: dict[str, list[str]] = {}
    for rule in policy.required_labels:
        wanting = missing.setdefault(rule.missing_label, [])
        if rule.branch and not re2.fullmatch(rule.branch, pull.base):
            continue
        others = (label for label in pull.labels if label != rule.missing_label)
        if not any(re2.search(rule.regexp, label) for label in others):
            wanting.append(rule.missing_comment)
    for label, comments in missing.items():
        if comments and label not in pull.labels:
            yield AddLabel(label)
            yield from (Say(words) for words in dict.fromkeys(comments) if words)
        elif not comments and label in pull.labels:
            yield RemoveLabel(label)
