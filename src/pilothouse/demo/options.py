"""What a user can choose about the demo."""

from dataclasses import dataclass
from pathlib import Path

from pilothouse.demo.loop import changes

HTTP, OTLP_GRPC, OTLP_HTTP = "127.0.0.1:4000", "127.0.0.1:4317", "127.0.0.1:4318"
STORIES = ("loop", "release")
SCENARIOS = {"loop": changes.SCENARIOS, "release": ("regression", "good")}


@dataclass(frozen=True)
class DemoOptions:
    """How to run the demo.

    once: end after the verdict; otherwise keep serving until Ctrl-C.
    story: `loop` (from a pull request to a verdict in production) or `release` (two versions side by side).
    scenario: what is wrong with the change, `good` for nothing (`demo/loop/changes.py`).
    data: where Pilothouse keeps its data; None for a temporary directory that is removed at the end.
    http, otlp_grpc, otlp_http: addresses as HOST:PORT. A default that is taken gives way to a free port, any
    other address that is taken is an error; port 0 means any free port.
    baseline_seconds, canary_seconds: how long version 1 runs alone, and both versions side by side.
    open_browser: show the release's page in a browser when the verdict is there.
    output: `text`, or `json` for the comparison as the API gave it.
    """

    once: bool = False
    story: str = "loop"
    scenario: str = "regression"
    data: Path | None = None
    http: str = HTTP
    otlp_grpc: str = OTLP_GRPC
    otlp_http: str = OTLP_HTTP
    baseline_seconds: float = 8.0
    canary_seconds: float = 40.0
    open_browser: bool = False
    output: str = "text"

    def __post_init__(self) -> None:
        """Raises ValueError that names the option."""
        if self.story not in STORIES:
            raise ValueError(f"story: {self.story!r} is not one of {', '.join(STORIES)}")
        if self.scenario not in SCENARIOS[self.story]:
            raise ValueError(f"scenario: {self.scenario!r} is not one of {', '.join(SCENARIOS[self.story])}")
        if self.output not in ("text", "json"):
            raise ValueError(f"output: {self.output!r} is neither text nor json")
