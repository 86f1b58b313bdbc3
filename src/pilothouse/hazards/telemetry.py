"""PromQL asked of anything that speaks Prometheus' API: our own server, or any Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import httpx


class TelemetryError(Exception):
    """The source does not answer, or refuses the question; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One series of an instant answer."""

    labels: dict[str, str]
    value: float


class Telemetry(Protocol):
    """What rules need to know about metrics."""

    def names(self) -> set[str]:
        """The names of all metrics that are there."""
        ...

    def ask(self, query: str) -> list[Row]:
        """The instant answer to a PromQL query now; raises `TelemetryError`."""
        ...


class Prometheus:
    """The HTTP API below a URL (`http://host:9090`, `http://127.0.0.1:4000/prometheus`)."""

    def __init__(self, url: str, timeout: float = 30.0, socket: str = "") -> None:
        """`socket` is the path of a Unix socket to ask through, where there is one."""
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=timeout, transport=httpx.HTTPTransport(uds=socket) if socket else None)

    def names(self) -> set[str]:
        """Asked once; the last hour counts."""
        import time

        start = f"{time.time() - 3600:.0f}"
        return set(map(str, self._get("/api/v1/label/__name__/values", {"start": start})))

    def ask(self, query: str) -> list[Row]:
        """A vector's rows; a scalar is one row without labels."""
        data = self._get("/api/v1/query", {"query": query})
        if data.get("resultType") == "scalar":
            return [Row({}, float(data["result"][1]))]
        return [Row(dict(one["metric"]), float(one["value"][1])) for one in data.get("result") or []]

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _get(self, path: str, parameters: dict[str, str]) -> Any:
        try:
            response = self._client.get(self._url + path, params=parameters)
            content = response.json()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TelemetryError(f"{self._url}: {error or type(error).__name__}") from None
        except ValueError:
            raise TelemetryError(f"{self._url}: answers, but not as Prometheus does ({response.status_code})") from None
        if not isinstance(content, dict) or content.get("status") != "success":
            said = content.get("error") if isinstance(content, dict) else ""
            raise TelemetryError(f"{self._url}: {said or response.status_code}")
        return content["data"]
