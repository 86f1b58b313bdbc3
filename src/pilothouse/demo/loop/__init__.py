"""The whole way of a change: from a pull request on the built-in forge to a verdict in production, on one machine.

`forge` asks the forge as its people would, `seeding` gives it the shop's repositories, `machine` runs what the
environments declare, `mesh` writes the TrafficSplit and the services that a real Envoy follows, and `tale` tells it.
"""
