"""How a change is merged: by the repository's rule, by its branch's, or by a label on the pull request.

Source: kubernetes-sigs/prow, `pkg/tide/github.go` (`prMergeMethod`) and `pkg/config/tide.go`
(`OrgRepoBranchMergeMethod`); the labels are those that Kubernetes' repositories use.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import re2

from pilothouse.delivery.forges.model import MergeMethod

METHODS: tuple[MergeMethod, ...] = ("merge", "squash", "rebase")
LABELS: dict[MergeMethod, str] = {method: f"tide/merge-method-{method}" for method in METHODS}


@dataclass(frozen=True, slots=True)
class Methods:
    """`branches` are expressions for branches, of which the first that fits counts (in Prow: by the alphabet).

    `labels` are those by which a pull request asks for a method.
    """

    default: MergeMethod = "merge"
    branches: tuple[tuple[str, MergeMethod], ...] = ()
    labels: tuple[tuple[str, MergeMethod], ...] = tuple((label, method) for method, label in LABELS.items())

    def of(self, branch: str, labels: Collection[str]) -> MergeMethod:
        """The method for a change to a branch. With labels for several of them: the branch's; see `quarrel`."""
        asked = [method for label, method in self.labels if label in labels]
        if len(asked) == 1:
            return asked[0]
        return next((method for pattern, method in self.branches if re2.search(pattern, branch)), self.default)

    def quarrel(self, labels: Collection[str]) -> str:
        """Why the labels do not say how to merge; empty when they do, or say nothing."""
        asked = [label for label, _ in self.labels if label in labels]
        return f"it has the labels {' and '.join(asked)}, and can be merged in one way only" if len(asked) > 1 else ""
