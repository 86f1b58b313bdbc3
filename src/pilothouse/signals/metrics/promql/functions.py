"""The functions of PromQL and their types (Prometheus 3.x, the experimental ones too)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["scalar", "vector", "matrix", "string"]


@dataclass(frozen=True, slots=True)
class Function:
    """`arguments` are the types; the last one may be left out or repeated `variadic` times (-1: without end)."""

    name: str
    arguments: tuple[Type, ...]
    variadic: int = 0
    returns: Type = "vector"
    experimental: bool = False


_VECTOR = (
    "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count "
    "histogram_stddev histogram_stdvar histogram_sum ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh "
    "timestamp"
)
_MATRIX = (
    "absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time "
    "max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time"
)
_MATRIX_EXPERIMENTAL = (
    "first_over_time mad_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time"
)
_DATE = "days_in_month day_of_month day_of_week day_of_year hour minute month year"

_LISTED = [
    *(Function(name, ("vector",)) for name in _VECTOR.split()),
    *(Function(name, ("matrix",)) for name in _MATRIX.split()),
    *(Function(name, ("matrix",), experimental=True) for name in _MATRIX_EXPERIMENTAL.split()),
    *(Function(name, ("vector",), 1) for name in _DATE.split()),
    *(Function(name, (), returns="scalar", experimental=True) for name in ("start", "end", "range", "step")),
    Function("start_timestamp", ("vector",), experimental=True),
    Function("clamp", ("vector", "scalar", "scalar")),
    Function("clamp_max", ("vector", "scalar")),
    Function("clamp_min", ("vector", "scalar")),
    Function("double_exponential_smoothing", ("matrix", "scalar", "scalar"), experimental=True),
    Function("histogram_fraction", ("scalar", "scalar", "vector")),
    Function("histogram_quantile", ("scalar", "vector")),
    Function("histogram_quantiles", ("vector", "string", "scalar", "scalar"), 9, experimental=True),
    Function("info", ("vector", "vector"), 1, experimental=True),
    Function("integral", ("matrix", "scalar"), 1, experimental=True),
    Function("label_join", ("vector", "string", "string", "string"), -1),
    Function("label_replace", ("vector", "string", "string", "string", "string")),
    Function("pi", (), returns="scalar"),
    *(Function(name, ("scalar", "scalar"), returns="scalar", experimental=True) for name in ("max_of", "min_of")),
    Function("predict_linear", ("matrix", "scalar")),
    Function("quantile_over_time", ("scalar", "matrix")),
    Function("round", ("vector", "scalar"), 1),
    Function("scalar", ("vector",), returns="scalar"),
    Function("sort_by_label", ("vector", "string"), -1, experimental=True),
    Function("sort_by_label_desc", ("vector", "string"), -1, experimental=True),
    Function("time", (), returns="scalar"),
    Function("vector", ("scalar",)),
]
FUNCTIONS: dict[str, Function] = {function.name: function for function in _LISTED}
