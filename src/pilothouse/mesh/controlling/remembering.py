"""What the last look at a part found, so that the next one computes only what changed.

Objects of a part are replaced when they change and never changed in place: what is the same object has the same result.
A look without a memory comes to the same; it only takes longer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilothouse.mesh.controlling.conditions import Told
    from pilothouse.mesh.controlling.planning import Wanted
    from pilothouse.mesh.controlling.watching import Key, Seen
    from pilothouse.mesh.reading import Piece


@dataclass(slots=True)
class Memory:
    """By object: what was read of it; what it was compiled to, from which content and owners; in which form it was
    found to be as wanted; and what was to be said on it when there was nothing left to say.
    """

    pieces: dict[Key, tuple[Seen, Piece]] = field(default_factory=dict)
    wanted: dict[Key, tuple[Any, Wanted]] = field(default_factory=dict)
    settled: dict[Key, tuple[Seen, Wanted]] = field(default_factory=dict)
    told: dict[Key, tuple[Seen, Told]] = field(default_factory=dict)
