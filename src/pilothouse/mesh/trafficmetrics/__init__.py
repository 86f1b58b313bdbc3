"""TrafficMetrics: `metrics.smi-spec.io` as an aggregated API of Kubernetes, answered from the metrics that are kept.

`resources` says which kinds have metrics, `measuring` asks for them, `objects` gives them the form of the
specification, `api` is the wire: discovery, lists, single objects, edges, and tables for kubectl.
"""
