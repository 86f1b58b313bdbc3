"""Checked profiles into the journal, whichever way they came."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

from pilothouse.signals.profiles.segment import (
    KnownStacks,
    StackKey,
    names_of_stacks,
    samples_payload,
    stacks_payload,
)
from pilothouse.signals.profiles.storing import SAMPLES_MARK, STACKS_MARK
from pilothouse.signals.receive.pprof_limits import ProfileLimits

if TYPE_CHECKING:
    from pilothouse.signals.profiles.model import Profile

KIND = "profiles"
# Decoding a large profile takes many times its size in memory: not more than these at once.
_AT_ONCE = 2


class Intake(Protocol):
    """Where checked profiles go."""

    def accept(self, kind: str, payload: bytes, marks: frozenset[str] = frozenset()) -> Future[None]:
        """Done when the bytes are on disk; raises `OverloadedError` when no more can be taken."""


class ProfileReceiver:
    """Takes profiles into the journal; each stack's frames go once. Methods may be called from any thread."""

    def __init__(self, intake: Intake, limits: ProfileLimits) -> None:
        self._intake, self._known, self._turn = intake, KnownStacks(), threading.Semaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self.limits = limits

    def take(self, read: Callable[[], Sequence[Profile]]) -> Future[None]:
        """Decode by `read`, and journal: the future is done when all profiles are on disk.

        Raises what `read` raises, and `OverloadedError` when not now.
        """
        with self._turn:
            profiles = [profile for profile in read() if len(profile.values)]
            hashes = names_of_stacks(profiles)
            with self._lock:
                stacks, new = stacks_payload(profiles, self._known, hashes)
            samples = samples_payload(profiles, hashes)
        # The samples' bytes hold nothing of what this process knows: sent again, they are recognised as the same.
        payloads = [(stacks, STACKS_MARK)] * bool(new) + [(samples, SAMPLES_MARK)] * bool(profiles)
        return _all(
            [self._intake.accept(KIND, payload, frozenset({mark})) for payload, mark in payloads],
            lambda: self._remember(new),
        )

    def _remember(self, stacks: set[StackKey]) -> None:
        with self._lock:
            self._known.remember(stacks)


def _all(futures: list[Future[None]], after: Callable[[], None]) -> Future[None]:
    """One future for several, which runs `after` when none of them failed."""
    done: Future[None] = Future()
    left, lock = [len(futures)], threading.Lock()

    def finish(future: Future[None] | None = None) -> None:
        error = future.exception() if future else None
        with lock:
            left[0] -= future is not None
            if done.done() or (not error and left[0]):
                return
            if error:
                done.set_exception(error)
                return
        after()
        done.set_result(None)

    if not futures:
        finish()
    for future in futures:
        future.add_done_callback(finish)
    return done
