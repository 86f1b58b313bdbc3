"""The kinds of Kubernetes, in which versions each is served."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
# In the OpenAPI documents of 1.16 to 1.17, but no longer served by default from 1.16 on
# (https://kubernetes.io/blog/2019/07/18/api-deprecations-in-1-16/).
_GONE_IN_1_16 = {"extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A built-in kind in one API version; `first` and `last` are the minor versions that serve it ("1.16")."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    type: str
    first: str
    last: str
    subresources: tuple[str, ...]

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


@cache
def _content() -> Any:
    return json.loads((_HERE / "kinds.json").read_text())


def versions() -> list[str]:
    """The minor versions known, oldest first."""
    return list(_content()["versions"])


@cache
def kinds() -> tuple[Kind, ...]:
    """All kinds in all their versions."""
    names = versions()
    made = []
    for group, version, kind, plural, namespaced, model, first, last, subresources in _content()["kinds"]:
        api_version = f"{group}/{version}" if group else version
        if api_version in _GONE_IN_1_16 and kind != "Ingress" and names[last] < "1.19":
            last = names.index("1.15")
        made.append(
            Kind(group, version, kind, plural, bool(namespaced), model, names[first], names[last], tuple(subresources))
        )
    return tuple(made)


@cache
def _index() -> dict[tuple[str, str], Kind]:
    return {(one.api_version, one.kind): one for one in kinds()}


def known_kind(api_version: str, kind: str) -> Kind | None:
    """The kind when it is one of Kubernetes' own (in any version), else None."""
    return _index().get((api_version, kind))


@cache
def successors(kind: str, group: str) -> tuple[Kind, ...]:
    """The same kind in the newest version known, in its own or another group: where to move to, the best one first.

    That is the highest stable one: `autoscaling/v2` has what `autoscaling/v2beta2` had, `autoscaling/v1` has not.
    """
    newest = versions()[-1]
    found = [
        one for one in kinds() if one.kind == kind and one.last == newest and "alpha" not in one.version
        and (one.group == group or group in ("extensions", "policy"))
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: ("beta" not in one.version, one.version), reverse=True))


def is_namespaced(api_version: str, kind: str) -> bool | None:
    """Whether objects of a kind live in a namespace; None for kinds not known."""
    found = known_kind(api_version, kind)
    return found.namespaced if found else None
