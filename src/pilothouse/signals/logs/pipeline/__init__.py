"""A LogQL pipeline run line by line in Python: slow, plain, and what every answer is measured against.

What lines look like in an answer always comes from here; the engine narrows down which lines those are. Numbers come
from here when a stage is not one that the engine can do exactly the same.
"""

from pilothouse.signals.logs.pipeline.building import Pipeline, Sampler
from pilothouse.signals.logs.pipeline.entry import Entry

__all__ = ["Entry", "Pipeline", "Sampler"]
