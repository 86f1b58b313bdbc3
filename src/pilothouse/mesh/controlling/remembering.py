"""What the last look at a part found, so that the next one computes only what changed.

Objects of a part are replaced when they change and never changed in place: what is the same object has the same result.
A look without a memory comes to the same; it only takes longer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.mesh.compiling.components import Surroundings
    from pilothouse.mesh.controlling.conditions import Told
    from pilothouse.mesh.controlling.kinds import Kind
    from pilothouse.mesh.controlling.making import Made
    from pilothouse.mesh.controlling.planning import Wanted
    from pilothouse.mesh.controlling.watching import Key, Seen
    from pilothouse.mesh.model import Name, Service, Workload
    from pilothouse.mesh.reading import Piece


@dataclass(slots=True)
class Memory:
    """By object: what was read of it; in which form it was found to be as wanted; and what was to be said on it when
    there was nothing left to say. By component: its content and what was made of it, while the cluster serves the same
    kinds. All that was wanted, and what Services and pods came to, `around` with the objects they were read of.
    """

    pieces: dict[Key, tuple[Seen, Piece]] = field(default_factory=dict)
    around: tuple[list[Piece], dict[Name, Service], dict[Name, Workload]] | None = None
    surroundings: Surroundings | None = None
    settled: dict[Key, tuple[Seen, Wanted]] = field(default_factory=dict)
    told: dict[Key, tuple[Seen, Told]] = field(default_factory=dict)
    made: dict[tuple[str, Name], tuple[tuple[object, ...], Made]] = field(default_factory=dict)
    served: list[tuple[Kind, str]] = field(default_factory=list)
    wanted: dict[Key, Wanted] = field(default_factory=dict)
