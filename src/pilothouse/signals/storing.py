"""How each kind of journaled request becomes rows: the statements of all signals, with the marks that ask for them.

Resources come first: a selector is resolved through them, so that a row without its resource could not be found.
"""

from functools import partial

from pilothouse.signals.flushing import Storing
from pilothouse.signals.logs import loki_storing
from pilothouse.signals.logs import storing as logs
from pilothouse.signals.metrics import remote_writing
from pilothouse.signals.metrics import storing as metrics
from pilothouse.signals.profiles import storing as profiles
from pilothouse.signals.receive import loki_streams
from pilothouse.signals.receive.otlp import repaired
from pilothouse.signals.traces import storing as traces


def storings() -> dict[str, Storing]:
    """The way into the tables for each kind of request."""
    return {
        "logs": Storing((("resources", logs.RESOURCES), ("", logs.RECORDS)), partial(repaired, "logs")),
        "loki": Storing((("resources", logs.RESOURCES), ("", loki_storing.RECORDS)), loki_streams.repaired),
        "traces": Storing(
            (("resources", traces.RESOURCES), ("", traces.SPANS)), partial(repaired, "traces"), once=True
        ),
        "profiles": Storing(profiles.MARKED),
        "remote_write": Storing(remote_writing.MARKED),
        "metrics": Storing(
            (
                ("resources", metrics.RESOURCES),
                ("", metrics.SERIES),
                ("numbers", metrics.SAMPLES),
                *metrics.DISTRIBUTIONS.items(),
                *((f"{kind} exemplars", statement) for kind, statement in metrics.EXEMPLARS.items()),
            ),
            partial(repaired, "metrics"),
        ),
    }
