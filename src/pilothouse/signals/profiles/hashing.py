"""Names for stacks: a 64-bit hash of the frames, the same in every process that computes it.

A frame's hash is mixed from XXH3 of each of its texts and its line; a stack's is the sum of its frames' hashes, each
mixed with its distance from the leaf. The mixing function is that of SplitMix64 (Steele, Lea, Flood: Fast
Splittable Pseudorandom Number Generators, 2014). With ten million stacks the chance of any two sharing a name
is 3 in a million.
"""

from __future__ import annotations

import numpy as np
import xxhash

from pilothouse.signals.profiles.model import Frames, Hashes, Stacks

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_KNOWN: dict[str, int] = {}
_MOST_KNOWN = 200_000


def frame_hashes(frames: Frames) -> Hashes:
    """One hash a frame."""
    place = frames.lines.astype(np.uint64) << np.uint64(1) | frames.inlined.astype(np.uint64)
    for texts in (frames.functions, frames.files, frames.mappings):
        place = _mixed(_text_hashes(texts) + _GOLDEN * place)
    return place


def stack_hashes(stacks: Stacks) -> Hashes:
    """One hash a stack; the empty stack has one too."""
    depths = stacks.depths
    distance = np.arange(len(stacks.places)) - np.repeat(stacks.offsets[:-1], depths)
    terms = _mixed(frame_hashes(stacks.frames)[stacks.places] + _GOLDEN * (distance + 1).astype(np.uint64))
    summed = np.zeros(len(terms) + 1, np.uint64)
    np.cumsum(terms, out=summed[1:])
    sums = summed[stacks.offsets[1:]] - summed[stacks.offsets[:-1]]
    return _mixed(sums + depths.astype(np.uint64))


def _text_hashes(texts: list[str]) -> Hashes:
    # The same few texts come in profile after profile.
    if len(_KNOWN) > _MOST_KNOWN:
        _KNOWN.clear()
    known = _KNOWN
    for text in set(texts) - known.keys():
        known[text] = xxhash.xxh3_64_intdigest(text.encode())
    return np.fromiter(map(known.__getitem__, texts), np.uint64, len(texts))


def _mixed(numbers: Hashes) -> Hashes:
    mixed = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: Hashes = mixed ^ (mixed >> np.uint64(31))
    return result
