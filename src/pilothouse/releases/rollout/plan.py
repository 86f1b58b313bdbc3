"""The plan of a rollout: its steps, what is asked at each of them, and what shifts the traffic."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pilothouse.releases.wording import duration
from pilothouse.signals.sentences import sentence

WhenUnsure = Literal["wait", "pause", "go_on"]
WhenWorse = Literal["rollback", "pause"]
WhenTooFew = Literal["pause", "go_on"]


@dataclass(frozen=True, slots=True)
class Step:
    """Give the candidate `weight` percent of the traffic and hold it for `hold` seconds; or, without a weight, wait.

    `hold` None waits until a person promotes. `checks` says whether the judge and the checks must be content before the
    step is done. With `requests` the step is held until the candidate has served so many in it, besides the time. When
    they are not there after `at_most` seconds (None: as long as the judge's patience after the hold), `too_few` says
    whether to pause, or to go on and ask with what there is.
    """

    weight: int | None = None
    hold: float | None = 0.0
    checks: bool = True
    requests: int = 0
    at_most: float | None = None
    too_few: WhenTooFew = "pause"

    @property
    def judged(self) -> bool:
        """Whether there is anything to see: a step that is not held is over before it has begun."""
        return self.hold != 0.0 or self.requests > 0

    @property
    def words(self) -> str:
        """What a reader is told."""
        said = (
            sentence("{weight} % of the traffic", weight=self.weight) if self.weight is not None else sentence("pause")
        )
        if self.hold is None:
            said = sentence("{said} until promoted", said=said)
        elif self.hold:
            said = sentence("{said} for {time}", said=said, time=duration(self.hold))
        if self.requests and self.hold != 0:
            said = sentence("{said} and {number} requests", said=said, number=self.requests)
        elif self.requests:
            said = sentence("{said} for {number} requests", said=said, number=self.requests)
        if self.requests and self.at_most is not None:
            said = sentence("{said}, at most {time}", said=said, time=duration(self.at_most))
        return said


@dataclass(frozen=True, slots=True)
class Check:
    """A number that must stay between `least` and `most` (either may be open).

    It is `measure` of the candidate's requests (`success_rate` in percent, `duration_p50`, `duration_p95` or
    `duration_p99` in milliseconds, `requests_per_second`), or the value of `query` (PromQL on what Pilothouse keeps),
    over the last `window` seconds. It may be missed `failures` times in a row; no value counts as missed.

    With `against` (`increase`, `decrease`, `either`) the query's `{{version}}` is asked for both versions; the value is
    1 unless Kayenta classifies the two as a change that way by more than the ratios of means in `allowed`, else 0.
    """

    name: str
    measure: str = ""
    query: str = ""
    least: float | None = None
    most: float | None = None
    window: float = 60.0
    failures: int = 0
    against: str = ""
    allowed: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Judging:
    """How the judge is asked: `every` so many seconds while a step is held.

    After `failures` verdicts of worse in a row, `worse` says what is done. When it cannot tell at the end of a step,
    `cannot_tell` says whether to wait (for `patience` seconds, then pause), to pause at once, or to go on.
    """

    ask: bool = True
    every: float = 60.0
    failures: int = 1
    worse: WhenWorse = "rollback"
    cannot_tell: WhenUnsure = "wait"
    patience: float = 3600.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What shifts the traffic: the name of a shifter, and what it needs to know."""

    by: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A rollout of `candidate` in the place of `baseline`; empty versions are found when it starts.

    `selector` narrows both versions to a part of their telemetry, such as one environment (empty: all of it).
    `not_mapped` is what the file that it was read from asks for and Pilothouse does not do, in words.
    """

    service: str
    steps: tuple[Step, ...]
    traffic: Traffic
    baseline: str = ""
    candidate: str = ""
    checks: tuple[Check, ...] = ()
    judging: Judging = field(default_factory=Judging)
    not_mapped: tuple[str, ...] = ()
    selector: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Plan:
        """What `to_json` wrote."""
        return cls(
            service=content["service"],
            steps=tuple(Step(**step) for step in content["steps"]),
            traffic=Traffic(**content["traffic"]),
            baseline=content["baseline"],
            candidate=content["candidate"],
            checks=tuple(Check(**check | {"allowed": tuple(check["allowed"])}) for check in content["checks"]),
            judging=Judging(**content["judging"]),
            not_mapped=tuple(content["not_mapped"]),
            selector=content.get("selector", ""),
        )
