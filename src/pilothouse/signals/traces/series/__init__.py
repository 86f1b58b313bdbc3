"""From spans to series over time: TraceQL's metrics queries."""
