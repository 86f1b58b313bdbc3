"""What promoting works with."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.delivery.environments import Environment, Environments
    from pilothouse.delivery.forges import Forge
    from pilothouse.delivery.promoting.promotion import Promotion
    from pilothouse.delivery.promoting.store import PromotionStore
    from pilothouse.releases.store import ReleaseStore


@dataclass(frozen=True, slots=True)
class Crew:
    """The promotions, the environments as they are now (raises `EnvironmentsError`), the forges that they are declared
    on by their names (an empty name: the only one; None: there is none, only directories), and what keeps marks and
    rollouts. `shifters` names what shifts traffic here; `tell_changes` says words (Markdown) on the pull requests that
    a service's version came of; `address` is where browsers find the page.
    """

    store: PromotionStore
    environments: Callable[[], Environments]
    releases: ReleaseStore
    find_forge: Callable[[str], Forge | None] = lambda name: None
    shifters: Collection[str] = ("http",)
    tell_changes: Callable[[str, str, str], None] = lambda service, version, words: None
    address: Callable[[], str] = lambda: ""

    def forge_of(self, environment: Environment) -> Forge | None:
        """The forge that declares an environment, opened when it is first needed; None for a directory.

        Raises the forges' `InvalidError` where it is not said which one.
        """
        source = environment.source
        return self.find_forge(source.forge) if source.repository else None

    def forge_with(self, promotion: Promotion) -> Forge | None:
        """The forge that has a promotion's pull request; None when it has none."""
        return self.find_forge(promotion.forge) if promotion.number else None
