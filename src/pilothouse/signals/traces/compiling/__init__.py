"""From the fields of a TraceQL query to SQL over `spans`."""
