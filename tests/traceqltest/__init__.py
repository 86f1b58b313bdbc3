"""Lists of TraceQL queries that must and must not be accepted, as YAML files, and what runs them."""
