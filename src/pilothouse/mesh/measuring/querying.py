"""The PromQL of a dialect: counts and latency, grouped by where things stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pilothouse.mesh.measuring.asking import Ask
from pilothouse.mesh.measuring.dialects import Dialect, Place
from pilothouse.mesh.model import Name

QUANTILES = (0.5, 0.9, 0.99)
Key = tuple[Name, ...]


class Counts:
    """Requests that succeeded and failed."""

    __slots__ = ("failed", "succeeded")

    def __init__(self) -> None:
        self.succeeded = 0.0
        self.failed = 0.0


def counts(ask: Ask, dialect: Dialect, places: Sequence[Place], seconds: int, narrowed: str = "") -> dict[Key, Counts]:
    """How many requests there were in the last `seconds`, by the names at `places`. Counted, not extrapolated."""
    labels = [*_labels(places), *dialect.failures]
    query = f"sum by ({', '.join(labels)}) (increase({_selected(dialect, dialect.requests, seconds, narrowed)}))"
    failing = _failing(dialect)
    found: dict[Key, Counts] = {}
    for row in ask(query):
        key = tuple(name_at(row.labels, place) for place in places)
        if any(not name.name for name in key):
            continue
        each = found.setdefault(key, Counts())
        if failing(row.labels):
            each.failed += row.value
        else:
            each.succeeded += row.value
    return found


def latencies(
    ask: Ask, dialect: Dialect, places: Sequence[Place], seconds: int, narrowed: str = ""
) -> dict[Key, dict[float, float]]:
    """Quantiles of durations in milliseconds, by the names at `places`; none where nothing was measured."""
    labels = ", ".join([*_labels(places), "le"])
    buckets = f"sum by ({labels}) (increase({_selected(dialect, f'{dialect.durations}_bucket', seconds, narrowed)}))"
    found: dict[Key, dict[float, float]] = {}
    for quantile in QUANTILES:
        for row in ask(f"histogram_quantile({quantile}, {buckets})"):
            key = tuple(name_at(row.labels, place) for place in places)
            if row.value == row.value and all(name.name for name in key):
                found.setdefault(key, {})[quantile] = row.value * dialect.milliseconds
    return found


def name_at(labels: dict[str, str], place: Place) -> Name:
    """The name at a place; its namespace is empty where the mesh does not say it. `shop/web` in one label is both."""
    space, name = labels.get(place[0], "") if place[0] else "", labels.get(place[1], "")
    if not place[0] and "/" in name:
        space, _, name = name.partition("/")
    return Name(space, "" if name == "unknown" else name)


def matcher(place: Place, names: Iterable[Name]) -> str:
    """Label matchers that narrow a question to some names; not exact, since namespaces are looked at afterwards."""
    wanted = sorted({f"{name.namespace}/{name.name}" for name in names} | {name.name for name in names})
    return f"{place[1]}=~{quoted('|'.join(map(_escaped, wanted)))}"


def quoted(text: str) -> str:
    """A PromQL string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _escaped(text: str) -> str:
    import re

    return re.escape(text)


def _labels(places: Sequence[Place]) -> list[str]:
    return list(dict.fromkeys(label for place in places for label in place if label))


def _selected(dialect: Dialect, metric: str, seconds: int, narrowed: str) -> str:
    matchers = ",".join(filter(None, (dialect.matchers, narrowed)))
    return f"{metric}{{{matchers}}}[{max(1, seconds)}s] anchored"


def _failing(dialect: Dialect):  # type: ignore[no-untyped-def]
    import re

    patterns = [(label, re.compile(f"(?:{pattern})\\Z")) for label, pattern in dialect.failures.items()]
    return lambda labels: any(pattern.match(labels.get(label, "")) for label, pattern in patterns)
