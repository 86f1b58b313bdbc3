"""Paths as the YAML expects them, where nothing can be mounted there: rewritten in the texts of the step."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

from pilothouse.delivery.pipelines.executors.launching import Launch, Mount


def mentioned(launch: Launch) -> set[str]:
    """The places that a step's texts name, of those where something is mounted or that need a mount to be there."""
    found = _pattern(tuple(sorted({*launch.targets, "/workspace", "/tekton"})))
    return {match for text in launch.texts if "/" in text for match in found.findall(text)}


def pairs(mounts: Iterable[Mount]) -> tuple[tuple[str, str], ...]:
    """What to write instead of what, longest first."""
    return tuple(sorted(((mount.target, str(mount.source)) for mount in mounts), key=lambda pair: -len(pair[0])))


def rewrite(text: str, rewrites: Sequence[tuple[str, str]]) -> str:
    """`text` with each mounted path replaced by the real one."""
    if not rewrites:
        return text
    instead = dict(rewrites)
    return _pattern(tuple(instead)).sub(lambda found: instead[found[0]], text)


@functools.lru_cache(256)
def _pattern(targets: tuple[str, ...]) -> re.Pattern[str]:
    longest = sorted(targets, key=len, reverse=True)
    return re.compile(r"(?<![\w.\-/~])(?:" + "|".join(re.escape(target) for target in longest) + r")(?![\w.\-])")
