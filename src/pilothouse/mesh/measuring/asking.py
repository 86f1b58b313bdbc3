"""PromQL asked of our own store, or of any server with Prometheus' API."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.metrics.promql.selection import Storage

_SECONDS = 20.0


class AskingError(Exception):
    """The metrics cannot be asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One series of an instant answer."""

    labels: dict[str, str]
    value: float


Ask = Callable[[str], list[Row]]
"""The answer to an instant query now; raises `AskingError`."""


def stored(engine: Engine) -> Ask:
    """Asks the metrics that are kept here."""

    def ask(query: str) -> list[Row]:
        from pilothouse.engine import Budget, EngineError
        from pilothouse.signals.metrics.prometheus.stored import StoredMetrics

        try:
            return evaluated(StoredMetrics(engine).limited(Budget(_SECONDS)), query, time.time())
        except EngineError as error:
            raise AskingError(str(error)) from None

    return ask


def evaluated(storage: Storage, query: str, now: float) -> list[Row]:
    """The rows of a query at `now` (Unix seconds)."""
    from pilothouse.signals.metrics.promql.engine import evaluate
    from pilothouse.signals.metrics.promql.errors import PromqlError
    from pilothouse.signals.metrics.promql.planning import Grid

    at = int(now * 1000)
    try:
        value = evaluate(storage, query, Grid(at, at, 0), is_range=False)
    except PromqlError as error:
        raise AskingError(str(error)) from None
    if value.matrix is None:
        return []
    pairs = zip(value.matrix.labels, value.matrix.values[:, 0], value.matrix.floats[:, 0], strict=True)
    return [Row(dict(labels.map), float(number)) for labels, number, there in pairs if there]


def over_http(url: str, timeout: float = 30.0) -> Ask:
    """Asks a server below whose URL Prometheus' API is. One that cannot count exactly is asked without that."""
    import httpx

    client = httpx.Client(timeout=timeout)

    def get(query: str) -> tuple[int, Any]:
        try:
            response = client.get(f"{url.rstrip('/')}/api/v1/query", params={"query": query})
            return response.status_code, response.json()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AskingError(f"{url}: {error or type(error).__name__}") from None
        except ValueError:
            raise AskingError(f"{url} answers, but not as Prometheus does") from None

    def ask(query: str) -> list[Row]:
        status, content = get(query)
        if status == 400 and " anchored" in query:
            # Behind a feature flag in Prometheus: without it counts are extrapolated, and rounded here.
            status, content = get(query.replace(" anchored", ""))
        if status != 200 or not isinstance(content, dict) or content.get("status") != "success":
            said = content.get("error") if isinstance(content, dict) else ""
            raise AskingError(f"{url}: {said or status}")
        data = content["data"]
        return [Row(dict(one["metric"]), float(one["value"][1])) for one in data.get("result") or []]

    return ask
