"""How the gateway spreads requests over the instances of a service."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Backend:
    """One instance: its base address, and its share of the traffic relative to the others'."""

    address: str
    weight: int


class Split:
    """Smooth weighted round robin: over any stretch of requests each backend gets its share, evenly spread.

    The algorithm is nginx's: https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
    """

    def __init__(self, backends: list[Backend]) -> None:
        """Raises ValueError when no backend has a positive weight."""
        self._backends = [backend for backend in backends if backend.weight > 0]
        if not self._backends:
            raise ValueError("a split needs a backend with a positive weight")
        self._credits = [0] * len(self._backends)
        self._total = sum(backend.weight for backend in self._backends)

    def next(self) -> str:
        """The address for the next request."""
        for index, backend in enumerate(self._backends):
            self._credits[index] += backend.weight
        chosen = max(range(len(self._credits)), key=self._credits.__getitem__)
        self._credits[chosen] -= self._total
        return self._backends[chosen].address
