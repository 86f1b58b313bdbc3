"""Which selectors match some labels, without asking every selector: 3,000 Services in a namespace meet 3,000 pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pilothouse.kube.objects import mapping
from pilothouse.kube.selecting import matches

T = TypeVar("T")


class Selections(Generic[T]):
    """Values by namespace and LabelSelector."""

    def __init__(self) -> None:
        self._by_pair: dict[tuple[str, str, Any], list[tuple[dict[str, Any], T]]] = {}
        self._others: dict[str, list[tuple[dict[str, Any], T]]] = {}

    def add(self, namespace: str, selector: Any, value: T) -> None:
        """Keep a value under a LabelSelector (a Service's selector goes as `{"matchLabels": ...}`)."""
        if not isinstance(selector, dict):
            return
        labels = mapping(selector.get("matchLabels"))
        if labels:
            key, wanted = next(iter(labels.items()))
            pair = (namespace, str(key), wanted if isinstance(wanted, str | int | bool) else str(wanted))
            self._by_pair.setdefault(pair, []).append((selector, value))
        else:
            self._others.setdefault(namespace, []).append((selector, value))

    def matching(self, namespace: str, labels: Mapping[str, Any]) -> list[T]:
        """The values whose selector matches."""
        candidates = list(self._others.get(namespace, ()))
        for pair in labels.items():
            candidates += self._by_pair.get((namespace, *pair), ())
        return [value for selector, value in candidates if matches(selector, labels)]
