"""From the stages of a LogQL pipeline to SQL: which lines stay, what their labels and values are.

What cannot be said in SQL exactly as the slow path (`pipeline`) does it is not said: then the conditions so far are
only ones that every wanted line meets (`exact` is false), and the slow path decides. Where SQL is exact for nearly all
lines, a condition says for which it is not (`doubts`): if one of them is met, the slow path answers.
"""

from pilothouse.signals.logs.compiling.scope import Scope
from pilothouse.signals.logs.compiling.stages import compiled_stages

__all__ = ["Scope", "compiled_stages"]
