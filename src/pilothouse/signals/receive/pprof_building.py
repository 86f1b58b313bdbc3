"""A `Profile` from stacks that are written out as names, as most text formats do."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.model import Frames, Profile, SampleType, Stacks
from pilothouse.signals.receive.pprof_limits import ProfileLimits
from pilothouse.signals.receive.pprof_reading import Sender, checked_time

NamedFrame = tuple[str, str, int]
"""A frame's function, file and line."""

_INT64_MAX = 2**63 - 1


def build_profile(
    stacks: Sequence[Sequence[NamedFrame]],
    values: Sequence[int],
    kind: SampleType,
    sender: Sender,
    limits: ProfileLimits,
) -> Profile:
    """One profile of one type; each stack is leaf first."""
    lengths = [len(stack) for stack in stacks]
    if len(stacks) > limits.records or sum(lengths) > limits.frames:
        raise BadRequestError(f"more than {limits.records} stacks or {limits.frames} frames")
    if sum(values) > _INT64_MAX:
        raise BadRequestError("the values add up to more than 64 bits hold")
    known: dict[NamedFrame, int] = {}
    places = [known.setdefault(frame, len(known)) for stack in stacks for frame in stack]
    functions, files, lines = (list(column) for column in zip(*known, strict=True)) if known else ([], [], [])
    frames = Frames(functions, files, np.array(lines, np.int64), [""] * len(known), np.zeros(len(known), np.bool_))
    duration = sender.duration
    return Profile(
        resource=sender.resource,
        time=checked_time(sender.start or time.time_ns() - duration, limits, "from"),
        duration=duration,
        types=(kind,),
        stacks=Stacks(frames, np.array(places, np.int64), np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)),
        stack_of=np.arange(len(stacks)),
        labels_of=np.zeros(len(stacks), np.int64),
        label_sets=[{}],
        values=np.array(values, np.int64).reshape(-1, 1),
        attributes=dict(sender.attributes),
    )
