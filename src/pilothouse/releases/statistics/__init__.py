"""The judge's arithmetic: numpy arrays in, estimates out. Nothing here knows where the numbers come from.

`estimate` is the noun: a difference with its standard error and degrees of freedom. `contrasting` compares levels
measured in windows, `quantiles` latency distributions, `counting` events per exposure; `ranks` is Mann-Whitney as
Kayenta uses it, `spread` what instances of one version differ by, `discoveries` the false discovery rate, `following`
how a cost goes with the traffic, `bridging` what unequal traffic makes of it, `steadying` what events there are outside
their bursts.
"""

from pilothouse.releases.statistics.bridging import Bridge, bridge
from pilothouse.releases.statistics.contrasting import contrast, contrast_lately
from pilothouse.releases.statistics.counting import Rates, compare_rates
from pilothouse.releases.statistics.discoveries import q_values
from pilothouse.releases.statistics.estimate import Estimate, Floats, relative
from pilothouse.releases.statistics.following import Elasticity, Following, elasticity, following
from pilothouse.releases.statistics.persisting import persists, rate_persists
from pilothouse.releases.statistics.quantiles import quantile_contrasts, window_quantiles
from pilothouse.releases.statistics.ranks import Shift, direction_of_pairs, mann_whitney
from pilothouse.releases.statistics.spread import spread_variance
from pilothouse.releases.statistics.steadying import outside_bursts

__all__ = [
    "Bridge",
    "Elasticity",
    "Estimate",
    "Floats",
    "Following",
    "Rates",
    "Shift",
    "bridge",
    "compare_rates",
    "contrast",
    "contrast_lately",
    "direction_of_pairs",
    "elasticity",
    "following",
    "mann_whitney",
    "outside_bursts",
    "persists",
    "q_values",
    "quantile_contrasts",
    "rate_persists",
    "relative",
    "spread_variance",
    "window_quantiles",
]
