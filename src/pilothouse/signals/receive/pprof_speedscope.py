"""speedscope's JSON (speedscope.app, file format schema), sampled and evented profiles."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.model import Profile, SampleType
from pilothouse.signals.receive.pprof_building import NamedFrame, build_profile
from pilothouse.signals.receive.pprof_limits import ProfileLimits, inflated
from pilothouse.signals.receive.pprof_reading import Sender
from pilothouse.signals.receive.pprof_types import type_of, unit_of

_TYPES = {"ns": "cpu", "By": "alloc_space"}


def read_speedscope(body: bytes, family: str, sender: Sender, limits: ProfileLimits) -> Profile:
    """All profiles of the file (a thread each, as a rule) as one; they must have the same unit."""
    try:
        content = json.loads(inflated(body, limits))
        frames = [_frame(frame) for frame in content["shared"]["frames"]]
        profiles = content["profiles"]
        units = {str(profile["unit"]) for profile in profiles}
        if len(units) != 1:
            raise BadRequestError("profiles: wanted at least one, and all of one unit", "body")
        unit, factor = unit_of(units.pop().replace("none", "count"))
        counted: Counter[tuple[NamedFrame, ...]] = Counter()
        for profile in profiles:
            found = _sampled(profile) if profile["type"] == "sampled" else _evented(profile, limits.frames)
            for places, value in found.items():
                counted[tuple(frames[_place(place, frames)] for place in reversed(places))] += _whole(value * factor)
    except BadRequestError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        raise BadRequestError(
            f"body: this is not a speedscope file: {type(error).__name__} {error}"[:200], "body"
        ) from None
    kind = SampleType(type_of(family or _TYPES.get(unit, "samples")), unit)
    return build_profile(list(counted), list(counted.values()), kind, sender, limits)


def _frame(frame: Any) -> NamedFrame:
    line = frame.get("line") or 0
    return str(frame["name"]), str(frame.get("file") or ""), line if isinstance(line, int) and 0 <= line < 2**32 else 0


def _place(place: Any, frames: list[NamedFrame]) -> int:
    if not isinstance(place, int) or not 0 <= place < len(frames):
        raise BadRequestError(f"profiles: frame {place!r} of {len(frames)}"[:200], "body")
    return place


def _sampled(profile: Any) -> Counter[tuple[int, ...]]:
    counted: Counter[tuple[int, ...]] = Counter()
    for sample, weight in zip(profile["samples"], profile["weights"], strict=True):
        counted[tuple(sample)] += weight
    return counted


def _evented(profile: Any, room: int) -> Counter[tuple[int, ...]]:
    """What passes between two events belongs to the stack that is open then."""
    counted: Counter[tuple[int, ...]] = Counter()
    stack: list[int] = []
    last = profile["startValue"]
    for number, event in enumerate(profile["events"]):
        if event["at"] < last:
            raise BadRequestError(f"profiles.events[{number}].at: before the event before it", "body")
        if event["at"] > last and stack:
            counted[tuple(stack)] += event["at"] - last
            room -= len(stack)
            if room < 0:
                raise BadRequestError("profiles.events: too many frames", "body")
        last = event["at"]
        if event["type"] == "O":
            stack.append(event["frame"])
        elif not stack or stack.pop() != event["frame"]:
            raise BadRequestError(
                f"profiles.events[{number}]: closes frame {event['frame']}, which is not open", "body"
            )
    return counted


def _whole(value: Any) -> int:
    if not math.isfinite(value) or value < 0 or value >= 2**63:
        raise BadRequestError(f"profiles: {value} is not a weight", "body")
    whole: int = round(value)
    return whole
