"""A grammar that makes PromQL queries: the corpus of the side-by-side test."""

from __future__ import annotations

import random
from collections.abc import Callable

METRICS = ("requests_total", "errors_total", "temperature", "load")
_JOBS = ("api", "web", "db")
_RANGES = ("1m1s", "2m", "5m", "7m30s", "30s", "3m13s")
_OFFSETS = ("", "", "", " offset 1m", " offset 3m30s", " offset -45s")
_GROUPINGS = (
    "",
    " by (job)",
    " by (instance)",
    " by (job, code)",
    " without (instance)",
    " without (code, job)",
    " by ()",
)
_RANGE_FUNCTIONS = (
    "rate", "increase", "irate", "delta", "idelta", "deriv", "changes", "resets", "sum_over_time", "avg_over_time",
    "min_over_time", "max_over_time", "count_over_time", "last_over_time", "stddev_over_time", "stdvar_over_time",
    "present_over_time", "absent_over_time",
)  # fmt: skip
_MATH = (
    "abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn", "sin", "cos", "tan", "asinh", "atan", "deg",
    "rad", "sinh", "tanh", "cosh",
)  # fmt: skip
_DATES = ("minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year")
_AGGREGATIONS = ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar")
# Not atan2: before 3.0 it kept the metric's name beside a scalar, where the others drop it.
_ARITHMETIC = ("+", "-", "*", "/", "%", "^")
_COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
_SETS = ("and", "or", "unless")
_WRONG = (
    "sum(", "rate(requests_total)", "foo{", "1 + ", "requests_total[5m]offset", "sum by (job requests_total",
    "unknown_function(requests_total)", "requests_total and 1", "1 == 2", 'requests_total{job=~"("}',
    "histogram_quantile(requests_total)", "topk(requests_total)", "requests_total + on(job) errors_total",
    "requests_total * on(job) group_left errors_total", "sum(requests_total) by (", "-", '{}', '{job=""}',
    'label_replace(requests_total, "instance", "x", "", "")', "rate(requests_total[5m]) + requests_total[5m]",
    "requests_total[0s]", "count_values(1, load)", "requests_total @ foo", "requests_total[5m][5m]",
)  # fmt: skip


class Corpus:
    """Queries by a seed. Only what all versions of Prometheus from 2.40 on know."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._vectors: list[Callable[[int], str]] = [
            self._selector, self._selector, self._range_call, self._range_call, self._range_call, self._math,
            self._aggregation, self._aggregation, self._parameter_aggregation, self._scalar_binary,
            self._vector_binary, self._set_binary, self._labels, self._other, self._histogram, self._subquery,
        ]  # fmt: skip

    def query(self) -> str:
        """One query; one in thirty is wrong on purpose."""
        if self._random.random() < 0.033:
            return self._of(_WRONG)
        if self._random.random() < 0.05:
            return self._scalar(2)
        return self._vector(3)

    def _of(self, choices: tuple[str, ...]) -> str:
        return self._random.choice(choices)

    def _vector(self, depth: int) -> str:
        if depth <= 0:
            return self._selector(0)
        return self._random.choice(self._vectors)(depth)

    def _scalar(self, depth: int) -> str:
        choice = self._random.randrange(6)
        if choice == 0 and depth:
            return f"scalar({self._vector(depth - 1)})"
        if choice == 1 and depth:
            return f"({self._scalar(depth - 1)} {self._of(_ARITHMETIC[:5])} {self._scalar(depth - 1)})"
        if choice == 2:
            return "time()"
        if choice == 3 and depth:
            return f"({self._scalar(0)} {self._of(_COMPARISONS)} bool {self._scalar(0)})"
        return self._of(("0", "1", "2.5", "-3", "1e3", "Inf", "NaN", "0x1f", "pi()"))

    def _bare(self) -> str:
        metric = self._of(METRICS)
        matchers = []
        if self._random.random() < 0.4:
            matchers.append(f'job{self._of(("=", "!="))}"{self._of(_JOBS)}"')
        if self._random.random() < 0.2:
            matchers.append(f'instance{self._of(("=~", "!~"))}"{self._of(("i[01]", "i.*", "i0|i2", ".+", ""))}"')
        if self._random.random() < 0.1:
            matchers.append(f'missing{self._of(("=", "!="))}"{self._of(("", "x"))}"')
        return f"{metric}{{{','.join(matchers)}}}" if matchers else metric

    def _at(self) -> str:
        return self._of((" @ start()", " @ end()")) if self._random.random() < 0.06 else ""

    def _selector(self, depth: int) -> str:
        return f"{self._bare()}{self._at()}{self._of(_OFFSETS)}"

    def _range_call(self, depth: int) -> str:
        range_vector = f"{self._bare()}[{self._of(_RANGES)}]{self._at()}{self._of(_OFFSETS)}"
        choice = self._random.random()
        if choice < 0.06:
            return f"quantile_over_time({self._of(('0.5', '0.9', '0', '1', '0.25'))}, {range_vector})"
        if choice < 0.1:
            return f"predict_linear({range_vector}, {self._of(('60', '3600', '-30'))})"
        return f"{self._of(_RANGE_FUNCTIONS)}({range_vector})"

    def _subquery(self, depth: int) -> str:
        function = self._of(_RANGE_FUNCTIONS)
        inner = self._bare() if function.startswith("std") else self._vector(depth - 2)
        step = self._of(("", "30s", "1m", "17s"))
        return f"{function}(({inner})[{self._of(_RANGES)}:{step}]{self._of(_OFFSETS)})"

    def _math(self, depth: int) -> str:
        choice = self._random.randrange(8)
        inner = self._vector(depth - 1)
        if choice == 0:
            return f"clamp({inner}, {self._of(('0', '-5', '10'))}, {self._of(('20', '5', '1e9'))})"
        if choice == 1:
            return f"clamp_{self._of(('min', 'max'))}({inner}, {self._scalar(0)})"
        if choice == 2:
            return f"round({inner}{self._of(('', ', 5', ', 0.1'))})"
        if choice == 3:
            return f"{self._of(_DATES)}({self._of(('', 'vector(time())', inner))})"
        if choice == 4:
            return f"-{inner}" if not inner.startswith("-") else inner
        return f"{self._of(_MATH)}({inner})"

    def _aggregation(self, depth: int) -> str:
        operator = self._of(_AGGREGATIONS)
        # The deviation of Unix times is lost in Prometheus' rounding, and in ours in another way.
        inner = self._range_call(0) if operator.startswith("std") else self._vector(depth - 1)
        return f"{operator}{self._of(_GROUPINGS)} ({inner})"

    def _parameter_aggregation(self, depth: int) -> str:
        inner, grouping = self._vector(depth - 1), self._of(_GROUPINGS)
        choice = self._random.randrange(4)
        if choice == 0:
            return f"quantile{grouping} ({self._of(('0.5', '0.9', '0', '1'))}, {inner})"
        if choice == 1:
            return f'count_values{grouping} ("value", {self._bare()})'
        # Ties are broken arbitrarily, so that only distinct values are ranked.
        ranked = self._of(("temperature", "load"))
        return f"{self._of(('topk', 'bottomk'))}{grouping} ({self._of(('1', '2', '5'))}, {ranked})"

    def _scalar_binary(self, depth: int) -> str:
        vector, scalar = self._vector(depth - 1), self._scalar(1)
        operator = self._of((*_ARITHMETIC, *_COMPARISONS))
        modifier = " bool" if operator in _COMPARISONS and self._random.random() < 0.5 else ""
        left, right = (vector, scalar) if self._random.random() < 0.6 else (scalar, vector)
        return f"({left} {operator}{modifier} {right})"

    def _vector_binary(self, depth: int) -> str:
        operator = self._of((*_ARITHMETIC[:5], *_COMPARISONS))
        modifier = " bool" if operator in _COMPARISONS and self._random.random() < 0.4 else ""
        choice = self._random.randrange(4)
        if choice == 0:
            grouped = f"sum by (job) ({self._bare()})"
            return f"{self._bare()} {operator}{modifier} on (job) group_left () {grouped}"
        if choice == 1:
            grouped = f"max by (job) ({self._bare()})"
            return f"{grouped} {operator}{modifier} on (job) group_right () {self._bare()}"
        if choice == 2:
            return f"requests_total {operator}{modifier} ignoring (code) errors_total"
        return f"{self._bare()} {operator}{modifier} {self._bare()}"

    def _set_binary(self, depth: int) -> str:
        matching = self._of(("", " on (job)", " on (job, instance)", " ignoring (code)", " on ()"))
        return f"({self._vector(depth - 1)} {self._of(_SETS)}{matching} {self._vector(depth - 2)})"

    def _labels(self, depth: int) -> str:
        if self._random.random() < 0.5:
            return f'label_replace({self._vector(depth - 1)}, "short", "$1-x", "instance", "(.).*")'
        return f'label_join({self._vector(depth - 1)}, "both", "/", "job", "instance")'

    def _other(self, depth: int) -> str:
        inner = self._vector(depth - 1)
        return self._random.choice(
            (f"absent({inner})", f"timestamp({self._bare()})", f"vector({self._scalar(1)})", f"timestamp({inner})",
             f"({inner})", "absent(nothing{job=\"x\"})")
        )  # fmt: skip

    def _histogram(self, depth: int) -> str:
        quantile = self._of(("0.5", "0.9", "0.99", "0", "1", "-1", "2"))
        grouping = self._of(("le", "le, job", "le, job, instance"))
        return f"histogram_quantile({quantile}, sum by ({grouping}) (rate(latency_bucket[{self._of(_RANGES)}])))"
