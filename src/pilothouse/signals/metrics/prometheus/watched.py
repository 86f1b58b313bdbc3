"""What scraping and rules tell of themselves, for the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pilothouse.signals.metrics.prometheus.query_log import QueryLog

if TYPE_CHECKING:
    from pilothouse.signals.metrics.prometheus.asking import Parameters
    from pilothouse.signals.metrics.promql.matcher import Matcher


class Watched(Protocol):
    """What scraping and rules tell about themselves; each answers JSON content."""

    query_log: QueryLog

    def targets(self, parameters: Parameters) -> dict[str, Any]: ...
    def targets_metadata(self, selector: Sequence[Matcher], metric: str, limit: int | None) -> list[dict[str, Any]]: ...
    def scrape_pools(self) -> dict[str, Any]: ...
    def rules(self, parameters: Parameters) -> dict[str, Any]: ...
    def alerts(self) -> dict[str, Any]: ...
    def alertmanagers(self) -> dict[str, Any]: ...
    def config(self) -> str: ...
    def loaded(self) -> tuple[bool, float]:
        """Whether the configuration was last read without a fault, and when (Unix seconds; 0: there is none)."""
        ...

    def external_labels(self) -> Mapping[str, str]: ...


class Unwatched:
    """Nothing is scraped and no rule is evaluated."""

    def __init__(self) -> None:
        self.query_log = QueryLog()

    def targets(self, parameters: Parameters) -> dict[str, Any]:
        return {"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}}

    def targets_metadata(self, selector: Sequence[Matcher], metric: str, limit: int | None) -> list[dict[str, Any]]:
        return []

    def scrape_pools(self) -> dict[str, Any]:
        return {"scrapePools": []}

    def rules(self, parameters: Parameters) -> dict[str, Any]:
        return {"groups": []}

    def alerts(self) -> dict[str, Any]:
        return {"alerts": []}

    def alertmanagers(self) -> dict[str, Any]:
        return {"activeAlertmanagers": [], "droppedAlertmanagers": []}

    def config(self) -> str:
        from pilothouse.signals.metrics.showing import shown

        return shown({})

    def loaded(self) -> tuple[bool, float]:
        return True, 0.0

    def external_labels(self) -> Mapping[str, str]:
        return {}
