"""What runs where now: the versions of each service that speak from an environment."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilothouse.releases.discovering import INSTANCE_SQL
from pilothouse.releases.identifying import VERSION_SQL
from pilothouse.signals.identity import ENVIRONMENT, SERVICE
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.engine import Engine

_MILLISECOND = 1_000_000
# When a resource was last seen is noted at most once a minute.
_SLACK_SECONDS = 120.0
_MOST = 10_000
# The name that the convention had before version 1.27 of OpenTelemetry's semantic conventions.
_OLDER = "deployment.environment"
_ENVIRONMENT_SQL = f"if(attributes['{ENVIRONMENT}'] != '', attributes['{ENVIRONMENT}'], attributes['{_OLDER}'])"

_RUNNING = f"""
SELECT service, version, uniqExact(instance) AS instances, max(seen) AS last
FROM (
    SELECT attributes['{SERVICE}'] AS service, {VERSION_SQL} AS version, {INSTANCE_SQL} AS instance,
           {_ENVIRONMENT_SQL} AS environment, seen
    FROM (SELECT identity, any(attributes) AS attributes, toUnixTimestamp64Milli(max(last_seen)) AS seen
          FROM resources GROUP BY identity)
)
WHERE service != '' AND version != '' AND environment = {{environment:String}} AND seen >= {{since:Int64}}
GROUP BY service, version
ORDER BY service, last DESC, version LIMIT {_MOST}"""


@dataclass(frozen=True, slots=True)
class RunningVersion:
    """A version that speaks: how many instances, and when one was last heard (nanoseconds since the epoch)."""

    version: str
    instances: int
    last_seen: int

    def to_json(self) -> dict[str, Any]:
        """As `/api/environments` answers it."""
        return {"version": self.version, "instances": self.instances, "last_seen": to_rfc3339(self.last_seen)}


def running(engine: Engine, environment: str, seconds: float = 300.0) -> Mapping[str, list[RunningVersion]]:
    """For each service the versions heard from the environment (`deployment.environment.name`) in the last seconds."""
    since = int((time.time() - seconds - _SLACK_SECONDS) * 1000)
    found: dict[str, list[RunningVersion]] = defaultdict(list)
    for row in engine.query(_RUNNING, {"environment": environment, "since": since}).to_pylist():
        found[row["service"]].append(RunningVersion(row["version"], row["instances"], row["last"] * _MILLISECOND))
    return found
