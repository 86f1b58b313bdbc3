"""Pyroscope's ids of profile types: `process_cpu:cpu:nanoseconds:cpu:nanoseconds`."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.asking import Kept

_UNITS = {"ns": "nanoseconds", "By": "bytes", "1": "count"}
_FAMILIES = {"cpu": "process_cpu", "samples": "process_cpu", "alloc": "memory", "inuse": "memory"}


@dataclass(frozen=True, slots=True)
class ProfileType:
    """The five parts of an id; `type` is what we keep."""

    family: str
    type: str
    unit: str
    period_type: str
    period_unit: str

    @property
    def id(self) -> str:
        """As Pyroscope writes it."""
        return ":".join((self.family, self.type, self.unit, self.period_type, self.period_unit))


def type_of_kept(kept: Kept) -> ProfileType:
    """The id under which what is kept of a type can be asked for."""
    head = kept.type.partition("_")[0]
    family = kept.family or _FAMILIES.get(kept.type) or _FAMILIES.get(head) or head
    return ProfileType(
        family, kept.type, _UNITS.get(kept.unit, kept.unit or "count"), kept.period_type, kept.period_unit
    )


def kept_type(text: str, field: str) -> str:
    """The type that an id means; what Go calls `delay` and `contentions` is told apart by the family."""
    parts = text.split(":")
    if len(parts) not in (5, 6):
        raise BadRequestError(
            f"{field}: {text[:80]!r} is not a profile type such as process_cpu:cpu:nanoseconds:cpu:nanoseconds", field
        )
    family, name = parts[0], parts[1]
    return f"{family}_{name}" if family in ("mutex", "block") and name in ("contentions", "delay") else name
