"""LogQL's numbers: from samples to windows, and the arithmetic on vectors, step by step, in numpy.

What reads the samples is given: the engine and the slow path come through the same door, so that only the reading can
differ between them.
"""

from pilothouse.signals.logs.vectors.evaluating import evaluate
from pilothouse.signals.logs.vectors.series import Labels, Samples, Series, Steps

__all__ = ["Labels", "Samples", "Series", "Steps", "evaluate"]
