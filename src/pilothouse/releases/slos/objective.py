"""An objective: which part of what is measured must be good, over which time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["availability", "latency", "ratio", "threshold"]


@dataclass(frozen=True, slots=True)
class Objective:
    """`target` is the share that must be good (0.999), `window` the seconds that the budget is for.

    `availability` and `latency` (faster than `below` milliseconds) are of the service's own requests, all or those of
    one `operation`; `ratio` is PromQL for what is `good` (or `bad`) and the `total`, `threshold` PromQL in `good` whose
    value must stand in `comparison` (`lt`, `lte`, `gt`, `gte`) to `below`.
    """

    name: str
    service: str
    kind: Kind
    target: float
    window: float = 28 * 86400.0
    operation: str = ""
    below: float = 0.0
    comparison: str = "lte"
    good: str = ""
    bad: str = ""
    total: str = ""

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return 1 - self.target

    @property
    def words(self) -> str:
        """What it promises."""
        share = f"{self.target * 100:.6g} % of"
        of = f"requests to {self.operation}" if self.operation else "requests"
        match self.kind:
            case "availability":
                return f"{share} {of} succeed"
            case "latency":
                return f"{share} {of} take less than {self.below:g} ms"
            case "ratio":
                return f"{share} what is measured is good"
            case _:
                return f"{share} the time the value is {self.comparison} {self.below:g}"

    def to_json(self) -> dict[str, Any]:
        """As `/api/slos` answers it."""
        return asdict(self) | {"words": self.words}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Objective:
        """What `to_json` wrote."""
        return cls(**{name: value for name, value in content.items() if name != "words"})
