"""What meshes say of the traffic that they carry, from their own metrics: who called what, how often, how well.

`dialects` knows the names that each mesh gives its metrics, `asking` how PromQL is asked, `flows` reads the answers,
`shares` holds measured shares of a split against the weights that were asked for.
"""

from pilothouse.mesh.measuring.asking import Ask, AskingError, over_http, stored
from pilothouse.mesh.measuring.flows import Flow, flows
from pilothouse.mesh.measuring.shares import BackendShare, SplitShares, not_honoured, shares

__all__ = [
    "Ask",
    "AskingError",
    "BackendShare",
    "Flow",
    "SplitShares",
    "flows",
    "not_honoured",
    "over_http",
    "shares",
    "stored",
]
