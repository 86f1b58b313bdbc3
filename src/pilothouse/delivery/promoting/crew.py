"""What promoting works with."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.delivery.environments import Environments
    from pilothouse.delivery.forges import Forge
    from pilothouse.delivery.promoting.store import PromotionStore
    from pilothouse.releases.store import ReleaseStore


@dataclass(frozen=True, slots=True)
class Crew:
    """The promotions, the environments as they are now (raises `EnvironmentsError`), the forge that they are declared
    on (None: only directories), and what keeps marks and rollouts. `shifters` names what shifts traffic here;
    `tell_changes` says words (Markdown) on the pull requests that a service's version came of.
    """

    store: PromotionStore
    environments: Callable[[], Environments]
    releases: ReleaseStore
    find_forge: Callable[[], Forge | None] = lambda: None
    shifters: Collection[str] = ("http",)
    tell_changes: Callable[[str, str, str], None] = lambda service, version, words: None

    @property
    def forge(self) -> Forge | None:
        """The forge, opened when it is first needed."""
        return self.find_forge()
