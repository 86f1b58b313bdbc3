"""What the profiles say: functions whose cost per request moved, themselves or with all that they call."""

from pilothouse.releases.profiles.cost import Costs, Function
from pilothouse.releases.profiles.explaining import explain
from pilothouse.releases.profiles.judging import judge
from pilothouse.releases.profiles.reading import read

__all__ = ["Costs", "Function", "explain", "judge", "read"]
