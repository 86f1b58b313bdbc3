"""Label sets: immutable, sorted by name, without empty values."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import xxhash

from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.numbers import quote

# What describes a metric beside its labels: dropped together with the name (Prometheus' type-and-unit-labels).
METADATA = frozenset((NAME, "__type__", "__unit__"))
T = TypeVar("T")
_MOST_FOUND = 20
_UNKNOWN = object()


class Labels:
    """One label set. Equal sets are equal and hash alike; the order is Prometheus' own."""

    __slots__ = ("_hash", "_map", "_nameless", "pairs")

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        """`pairs` are sorted by name and have no empty value; use `labels_of` for what is not yet so."""
        self.pairs = pairs
        self._map: dict[str, str] | None = None
        self._nameless: Labels | None = None
        self._hash: int | None = None

    @property
    def map(self) -> dict[str, str]:
        """The same as a dictionary; not to be changed."""
        if self._map is None:
            self._map = dict(self.pairs)
        return self._map

    @property
    def name(self) -> str:
        return self.map.get(NAME, "")

    def get(self, label: str) -> str:
        """The value, or the empty string."""
        return self.map.get(label, "")

    def only(self, names: Iterable[str]) -> Labels:
        """Just these labels."""
        wanted = frozenset(names)
        return Labels(tuple(pair for pair in self.pairs if pair[0] in wanted))

    def without(self, names: Iterable[str]) -> Labels:
        """All but these labels."""
        unwanted = frozenset(names)
        return Labels(tuple(pair for pair in self.pairs if pair[0] not in unwanted))

    def nameless(self) -> Labels:
        """Without name, type and unit."""
        if self._nameless is None:
            self._nameless = Labels(tuple(pair for pair in self.pairs if pair[0] not in METADATA))
        return self._nameless

    def setting(self, values: Mapping[str, str]) -> Labels:
        """With these values; an empty one takes the label away."""
        return labels_of({**self.map, **values})

    def digest(self) -> int:
        """Prometheus' 64-bit hash of a label set (xxHash of its length-prefixed strings), for `limit_ratio`."""
        parts = bytearray()
        for pair in self.pairs:
            for text in pair:
                raw = text.encode()
                parts += bytes((len(raw),)) if len(raw) < 255 else b"\xff" + len(raw).to_bytes(3, "little")
                parts += raw
        return xxhash.xxh64_intdigest(bytes(parts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Labels) and self.pairs == other.pairs

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.pairs)
        return self._hash

    def __lt__(self, other: Labels) -> bool:
        return self.pairs < other.pairs

    def __str__(self) -> str:
        return "{" + ", ".join(f"{name}={quote(value)}" for name, value in self.pairs) + "}"

    def __repr__(self) -> str:
        return f"Labels({self})"


EMPTY = Labels(())


def labels_of(values: Mapping[str, str]) -> Labels:
    """The label set of a dictionary; empty values count as not there."""
    return Labels(tuple(sorted((name, value) for name, value in values.items() if value)))


class LabelSets(list[Labels]):
    """The label sets of series that are asked for again and again: what is found out of all of them stays with them.

    Not to be changed once it is made.
    """

    __slots__ = ("_found",)

    def __init__(self, labels: Iterable[Labels] = ()) -> None:
        super().__init__(labels)
        self._found: dict[Hashable, Any] = {}

    def found(self, key: Hashable, find: Callable[[Sequence[Labels]], T]) -> T:
        """What `find` makes of these label sets; asked once for each `key` (a few are kept)."""
        known = self._found.get(key, _UNKNOWN)
        if known is _UNKNOWN:
            if len(self._found) >= _MOST_FOUND:
                self._found.clear()
            known = self._found[key] = find(self)
        result: T = known
        return result


def found_of(labels: Sequence[Labels], key: Hashable, find: Callable[[Sequence[Labels]], T]) -> T:
    """What `find` makes of label sets, kept with those that keep it."""
    return labels.found(key, find) if isinstance(labels, LabelSets) else find(labels)


def is_repeated(labels: Sequence[Labels]) -> bool:
    """Whether two of them are the same."""
    return found_of(labels, "repeated", lambda all_: len(set(all_)) < len(all_))


def nameless(labels: list[Labels]) -> list[Labels]:
    """All of them without name, type and unit."""
    return found_of(labels, "nameless", lambda all_: LabelSets([one.nameless() for one in all_]))


def names(labels: Sequence[Labels]) -> list[str]:
    """The names among them, each once."""
    return found_of(labels, "names", lambda all_: list(dict.fromkeys(one.name for one in all_)))


def in_order(labels: Sequence[Labels]) -> list[int] | None:
    """Their places by label; None when that is how they are."""
    return found_of(labels, "order", _in_order)


def _in_order(labels: Sequence[Labels]) -> list[int] | None:
    order = sorted(range(len(labels)), key=lambda place: labels[place].pairs)
    return None if order == list(range(len(labels))) else order


def is_label(name: str) -> bool:
    """Whether this may name a label: any text that is valid UTF-8 and not empty."""
    return bool(name) and not any("\ud800" <= char <= "\udfff" for char in name)
