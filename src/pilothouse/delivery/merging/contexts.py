"""Which contexts of a commit have to be green before a change is merged, besides those of the repository's own jobs.

Source: kubernetes-sigs/prow, `pkg/config/tide.go` (`TideContextPolicy`): every context that is there counts, unless it
is optional; `skip_unknown` turns that round, so that only what is named counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import re2

from pilothouse.delivery.forges.model import Status

# What Prow and Lighthouse say of their own pools: a repository that comes from there has it on its open pull requests.
_POOLS = frozenset({"tide", "keeper"})


@dataclass(frozen=True, slots=True)
class Contexts:
    """What is named: `required` has to be there and green, `required_if_present` only green when it is there.

    A name in `required` may have `*` and `?`, as Forgejo's protected branches have: then one that matches has to be
    there. With `from_protection` what the forge's protected branch requires is required too.
    """

    required: frozenset[str] = frozenset()
    required_if_present: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    optional_patterns: tuple[str, ...] = ()
    skip_unknown: bool = False
    from_protection: bool = False

    def is_optional(self, context: str) -> bool:
        """Whether a context that is there need not be green."""
        if context in self.optional or any(re2.search(pattern, context) for pattern in self.optional_patterns):
            return True
        return self.skip_unknown and context not in self.required_if_present and not self._is_required(context)

    def _is_required(self, context: str) -> bool:
        return any(is_meant(name, context) for name in self.required)

    def misses(self, statuses: Mapping[str, Status], known: Iterable[str]) -> Iterator[str]:
        """What is not as it has to be, in words; `known` are the contexts of jobs, which have rules of their own."""
        known = _POOLS.union(known)
        for name in sorted(self.required - known):
            if not any(is_meant(name, context) for context in statuses):
                yield f"{name} has not reported, and has to"
        for context, status in sorted(statuses.items()):
            if context not in known and status.state != "success" and not self.is_optional(context):
                yield f"{context} is {status.state}{': ' + status.description if status.description else ''}"


def is_meant(name: str, context: str) -> bool:
    """Whether a name that may have `*` and `?` means a context."""
    return name == context or fnmatchcase(context, name)
