"""split.smi-spec.io: TrafficSplit from v1alpha1 to v1alpha4."""

from __future__ import annotations

from functools import reduce
from math import gcd
from typing import Any

from pilothouse.kube.objects import Path, text_of
from pilothouse.kube.quantities import quantity
from pilothouse.mesh.model import Backend, TrafficSplit
from pilothouse.mesh.reading.fields import Fields, shown
from pilothouse.mesh.reading.specs import body

_LARGEST = 1_000_000_000


def read_split(fields: Fields, version: str) -> TrafficSplit:
    """A TrafficSplit. Weights are relative; those of v1alpha1 are quantities, and 500m is half of 1."""
    known = ("service", "backends") if version < "v1alpha3" else ("service", "backends", "matches")
    section, path = body(fields, version, known, "v1alpha1")
    weights: list[int] = []
    names: list[str] = []
    at = (*path, "backends")
    for number, item in enumerate(fields.items(section.get("backends"), at)):
        backend = fields.section(item, (*at, number), ("service", "weight"))
        name = fields.text(backend, "service", (*at, number))
        if name and name in names:
            fields.error((*at, number, "service"), f"{name!r} is there twice", "duplicate")
        names.append(name)
        weights.append(_weight(fields, backend.get("weight"), (*at, number, "weight"), version))
    if names and not any(weights) and not fields.failed:
        fields.error(at, "all weights are 0: meshes refuse that or answer every request with an error", "no-weight")
    if version == "v1alpha1" and any(weights):
        divisor = reduce(gcd, weights)
        weights = [weight // divisor for weight in weights]
    backends = tuple(Backend(name, weight) for name, weight in zip(names, weights, strict=True))
    created = text_of(fields.source.metadata.get("creationTimestamp"))
    matches = _matches(fields, section.get("matches"), (*path, "matches"))
    return TrafficSplit(fields.id, fields.text(section, "service", path), backends, matches, created)


def _weight(fields: Fields, value: Any, path: Path, version: str) -> int:
    """Whole and not negative; in thousandths for v1alpha1."""
    if version == "v1alpha1":
        amount = None if isinstance(value, bool) else quantity(value)
        if amount is None or amount < 0 or amount * 1000 > _LARGEST:
            fields.error(
                path, f"must be a quantity that is not negative, such as 1 or 500m, not {shown(value)}", "weight"
            )
            return 0
        return round(amount * 1000)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        fields.error(path, f"must be a whole number that is not negative, not {shown(value)}", "weight")
        return 0
    return value


def _matches(fields: Fields, value: Any, path: Path) -> tuple[str, ...]:
    names = []
    for number, item in enumerate(fields.items(value, path, required=False)):
        section = fields.section(item, (*path, number), ("apiGroup", "kind", "name"))
        if section.get("apiGroup") not in (None, "specs.smi-spec.io"):
            fields.error((*path, number, "apiGroup"), f"must be specs.smi-spec.io, not {shown(section['apiGroup'])}")
        fields.choice(section, "kind", (*path, number), ("HTTPRouteGroup",))
        names.append(fields.text(section, "name", (*path, number)))
    return tuple(names)
