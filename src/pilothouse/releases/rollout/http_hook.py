"""Traffic shifted by somebody else's HTTP endpoint: a script, a load balancer's API, a feature flag service.

    POST url   {"service": "checkout", "weights": {"1.0.0": 95, "2.0.0": 5}, "key": "7-0-1"}
    GET  url?service=checkout   ->   {"weights": {"1.0.0": 95, "2.0.0": 5}}   (or 404, 405: not known)

Any 2xx answer accepts. `key` is sent as the header `Idempotency-Key` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from pilothouse.masking import masked
from pilothouse.releases.rollout.traffic import TrafficError

_SECONDS = 30.0


class HttpHook:
    """A shifter that asks a URL."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """`settings` has `url`, and may have `headers` (a mapping of texts)."""
        self._url = str(settings["url"])
        self._headers = {str(name): str(text) for name, text in dict(settings.get("headers") or {}).items()}

    def shift(self, service: str, weights: Mapping[str, int], key: str) -> None:
        """See `TrafficShifter.shift`."""
        body = {"service": service, "weights": dict(weights), "key": key}
        answer = self._asked("POST", json=body, headers=self._headers | {"Idempotency-Key": key})
        if not answer.is_success:
            text = " ".join(answer.text.split())[:200]
            raise TrafficError(self._told(f"{self._url} answered {answer.status_code} {text}".strip()))

    def weights(self, service: str) -> Mapping[str, int] | None:
        """See `TrafficShifter.weights`."""
        answer = self._asked("GET", params={"service": service}, headers=self._headers)
        try:
            found = answer.json()["weights"] if answer.is_success else None
            return {str(version): int(weight) for version, weight in found.items()} if found is not None else None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def _asked(self, method: str, **request: Any) -> httpx.Response:
        try:
            return httpx.request(method, self._url, timeout=_SECONDS, **request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TrafficError(self._told(f"{self._url}: {error or type(error).__name__}")) from None

    def _told(self, words: str) -> str:
        """What is written down for all to read: without what lets us in."""
        secrets = (secret for text in self._headers.values() for secret in (text, text.rpartition(" ")[2]))
        return masked(words, *secrets)
