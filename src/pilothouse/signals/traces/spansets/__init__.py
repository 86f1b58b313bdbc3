"""Which spans of which traces a pipeline means: filters in the engine, structure and grouping in arrays."""
