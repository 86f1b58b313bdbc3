"""The same samples, the same queries, the real Prometheus beside us: the answers must be the same.

`PILOTHOUSE_THOROUGH=1` asks all of the corpus; otherwise a part of it that a minute has room for, and
`PILOTHOUSE_CORPUS_SEED=N` another corpus. Another Prometheus
can be named with `PILOTHOUSE_PROMETHEUS=/path/to/prometheus`.
"""

from __future__ import annotations

import math
import os
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cramjam
import httpx
import pytest

from pilothouse.signals.receive.remote_write_messages import WriteRequest
from tests.running import RunningServer
from tests.signals.metrics.query_corpus import Corpus
from tests.signals.metrics.real_prometheus import BINARY, HEADERS, RealPrometheus, encoded, start_prometheus

pytestmark = pytest.mark.skipif(not BINARY, reason="needs Debian's package prometheus")

_QUERIES = 2400 if os.environ.get("PILOTHOUSE_THOROUGH") else 80
# Another seed asks other queries.
_SEED = int(os.environ.get("PILOTHOUSE_CORPUS_SEED", "20261123"))
_STEP = 15_000
_BOUNDS = ("0.005", "0.025", "0.1", "0.5", "1", "5", "+Inf")
_STALE = 0x7FF0000000000002


@dataclass
class Pair:
    """Both servers with the same samples, up to `end` (milliseconds)."""

    ours: RunningServer
    theirs: RealPrometheus
    end: int
    client: httpx.Client

    def both(self, path: str, parameters: Any) -> tuple[httpx.Response, httpx.Response]:
        return (
            self.client.get(f"{self.ours.http}/prometheus/api/v1/{path}", params=parameters),
            self.client.get(f"{self.theirs.http}/api/v1/{path}", params=parameters),
        )

    def wait(self) -> None:
        """Until we have stored what they have."""
        deadline = time.monotonic() + 60
        while True:
            ours, theirs = self.both(
                "query", {"query": "count(last_over_time({__name__=~'.+'}[1h]))", "time": (self.end + 1) / 1000}
            )
            if ours.status_code == 200 and ours.json()["data"]["result"] == theirs.json()["data"]["result"]:
                return
            assert time.monotonic() < deadline, f"not stored after 20 s: {ours.text}"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def server(new_server: RunningServer) -> RunningServer:
    """Nothing but what is sent here."""
    return new_server


@pytest.fixture(scope="module")
def pair(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    theirs = start_prometheus(tmp_path_factory.mktemp("prometheus"))
    try:
        end = (int(time.time()) - 60) * 1000 + 137
        for body in (encoded(_series(end)), _native(end)):
            theirs.write(body)
            response = httpx.post(f"{server.http}/prometheus/api/v1/write", content=body, headers=HEADERS, timeout=60)
            assert response.status_code == 204, response.text
        with httpx.Client(timeout=60) as client:
            found = Pair(server, theirs, end, client)
            found.wait()
            yield found
    finally:
        theirs.stop()


def _series(end: int) -> Iterator[tuple[dict[str, str], list[tuple[int, float]]]]:
    """Counters with resets, gauges with NaN, gaps and stale markers, classic histograms."""
    chance = random.Random(7)
    times = list(range(end - 45 * 60_000, end + 1, _STEP))
    for job in ("api", "web", "db"):
        for instance in ("i0", "i1", "i2"):
            target = {"job": job, "instance": instance}
            for name in ("requests_total", "errors_total"):
                for code in ("200", "500"):
                    yield {"__name__": name, "code": code, **target}, list(_counter(times, chance))
            for name in ("temperature", "load"):
                yield {"__name__": name, **target}, list(_gauge(times, chance))
            yield from _histogram(times, chance, target)


def _counter(times: list[int], chance: random.Random) -> Iterator[tuple[int, float]]:
    value = float(chance.randrange(100))
    for moment in times:
        value = 0.0 if chance.random() < 0.02 else value + chance.randrange(12)
        if chance.random() > 0.05:
            yield moment + chance.randrange(50), value


def _gauge(times: list[int], chance: random.Random) -> Iterator[tuple[int, float]]:
    import struct

    stale = struct.unpack("<d", struct.pack("<Q", _STALE))[0]
    gone = 0
    for moment in times:
        gone = max(0, gone - 1)
        if gone:
            continue
        kind = chance.random()
        if kind < 0.01:
            yield moment, stale
            gone = chance.randrange(1, 30)
        elif kind < 0.03:
            yield moment, chance.choice((math.nan, math.inf, -math.inf, 0.0))
        else:
            yield moment, chance.uniform(-50, 50)


def _histogram(
    times: list[int], chance: random.Random, target: dict[str, str]
) -> Iterator[tuple[dict[str, str], list[tuple[int, float]]]]:
    counts = [0.0] * len(_BOUNDS)
    rows: list[list[tuple[int, float]]] = [[] for _ in _BOUNDS]
    for moment in times:
        for _ in range(chance.randrange(20)):
            place = min(int(chance.expovariate(0.7)), len(_BOUNDS) - 1)
            for further in range(place, len(_BOUNDS)):
                counts[further] += 1
        for row, count in zip(rows, counts, strict=True):
            row.append((moment, count))
    for bound, row in zip(_BOUNDS, rows, strict=True):
        yield {"__name__": "latency_bucket", "le": bound, **target}, row


def _native(end: int) -> bytes:
    """A request of native histograms: counters of whole numbers, with resets, and what a rule makes of them."""
    request = WriteRequest()
    chance = random.Random(11)
    for instance in ("i0", "i1"):
        counter, rule = request.timeseries.add(), request.timeseries.add()
        for series, name in ((counter, "wait"), (rule, "wait:rate")):
            series.labels.add(name="__name__", value=name)
            series.labels.add(name="instance", value=instance)
        counts = [1] * 6
        for place, moment in enumerate(range(end - 45 * 60_000, end + 1, _STEP)):
            counts = [1] * 6 if place == 70 else [count + chance.randrange(5) for count in counts]
            told = counter.histograms.add(count_int=sum(counts), sum=sum(counts) / 3, schema=1, timestamp=moment)
            told.zero_threshold, told.zero_count_int = 0.001, counts[0]
            _spans(told)
            told.negative_deltas.append(counts[1])
            told.positive_deltas.extend(after - before for before, after in pairwise([0, *counts[2:]]))
            rates = [count / 8 for count in counts]
            told = rule.histograms.add(count_float=sum(rates), sum=sum(rates) / 3, schema=1, timestamp=moment)
            told.zero_threshold, told.zero_count_float, told.reset_hint = 0.001, rates[0], 3
            _spans(told)
            told.negative_counts.append(rates[1])
            told.positive_counts.extend(rates[2:])
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def _spans(told: Any) -> None:
    told.negative_spans.add(offset=0, length=1)
    told.positive_spans.add(offset=-1, length=2)
    told.positive_spans.add(offset=2, length=2)


# Prometheus 2.42 did less with them, and found quantiles by straight lines.
_NATIVE_SINCE_3 = (
    "wait:rate * 2", "histogram_quantile(0.9, sum(rate(wait[5m])))", "histogram_quantile(0.3, wait:rate)",
    "last_over_time(wait:rate[3m])", "sum_over_time(wait:rate[2m])", "avg_over_time(wait:rate[2m])", "avg(wait:rate)",
    "wait / wait:rate", "histogram_stddev(wait:rate)", "histogram_avg(wait:rate)",
)  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "wait", "wait:rate", "rate(wait[5m])", "increase(wait[3m13s])", "sum(wait:rate)", "wait:rate + wait:rate",
        "histogram_count(wait:rate)", "histogram_sum(sum(wait:rate))", "histogram_fraction(-0.5, 1.5, wait:rate)",
        "delta(wait:rate[5m])", "count_over_time(wait:rate[3m])", "wait:rate[1m1s]", *_NATIVE_SINCE_3,
    ],
)  # fmt: skip
def test_native_histograms_have_the_same_answers(pair: Pair, query: str) -> None:
    if query in _NATIVE_SINCE_3 and pair.theirs.version < (3, 0):
        pytest.skip("done otherwise by this Prometheus")
    end = pair.end + 57
    span = {"start": (end - 20 * 60_000) / 1000, "end": end / 1000, "step": "47s"}
    calls = [("query", {"time": end / 1000})] + ([("query_range", span)] if "[1m1s]" not in query else [])
    for path, times in calls:
        ours, theirs = pair.both(path, {"query": query, **times})
        mine, yours = (_flat(answer.json()["data"]["result"]) for answer in (ours, theirs))
        assert mine.keys() == yours.keys(), path
        for where, text in yours.items():
            assert _close([0, mine[where]], [0, text]), (path, where, mine[where], text)


def _flat(content: Any, where: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    """All that an answer says, by where it stands, series by their labels."""
    if isinstance(content, dict) and "metric" in content:
        where = (*where[:-1], str(sorted(content["metric"].items())))
        content = {name: part for name, part in content.items() if name != "metric"}
    if not isinstance(content, dict | list):
        return {where: content}
    parts = content.items() if isinstance(content, dict) else enumerate(content)
    return {place: text for name, part in parts for place, text in _flat(part, (*where, name)).items()}


def test_queries_have_the_same_answers(pair: Pair) -> None:
    corpus = Corpus(_SEED)
    differences = []
    # No sample at the edge of a window: Prometheus 2 counts it in, Prometheus 3 and we do not.
    end = pair.end + 57
    for number in range(_QUERIES):
        query = corpus.query()
        if number % 2:
            path, parameters = "query", {"query": query, "time": (end - number % 7 * 60_000) / 1000}
        else:
            span = {"start": (end - 20 * 60_000) / 1000, "end": end / 1000, "step": "47s"}
            path, parameters = "query_range", {"query": query, **span}
        ours, theirs = pair.both(path, parameters)
        problem = _difference(ours, theirs)
        if problem and _is_older(pair, query):
            continue
        if problem:
            differences.append(f"{path} {query}\n    {problem}")
    assert not differences, f"{len(differences)} of {_QUERIES} differ:\n" + "\n".join(differences[:40])


@pytest.mark.parametrize(
    "query",
    [
        "requests_total", "temperature", "sum(requests_total) / 2", "rate(requests_total[5m])", "count(load @ end())",
        "sum_over_time(load[5m] @ end())", "max_over_time(load[5m:1m])",
        "max_over_time(rate(requests_total[2m])[5m:1m])", "quantile_over_time(0.5, temperature[3m])",
        "timestamp(load)", "vector(1)",
        "max_over_time(load[2m]) > 1",
    ],
)  # fmt: skip
def test_statistics_count_the_same_samples(pair: Pair, query: str) -> None:
    end = pair.end + 57
    span = {"start": (end - 600_000) / 1000, "end": end / 1000, "step": "47s"}
    for path, times in (("query", {"time": end / 1000}), ("query_range", span)):
        both = pair.both(path, {"query": query, "stats": "all", **times})
        ours, theirs = (answer.json()["data"]["stats"] for answer in both)
        name = "totalQueryableSamples"
        assert ours["samples"][name] == theirs["samples"][name], path
        assert ours["timings"].keys() == theirs["timings"].keys()
        assert 0 < ours["timings"]["innerEvalTime"] < ours["timings"]["execTotalTime"]
        assert (ours["samples"]["samplesRead"] > 0) == (theirs["samples"][name] > 0)
    assert "stats" not in pair.both("query", {"query": query})[0].json()["data"]


def _is_older(pair: Pair, query: str) -> bool:
    """Whether this is what Prometheus 2 did otherwise.

    It extrapolated counters near zero; with `@` a range moved on with each step where a function looks at the step's
    time; its means were made step by step, so that a tie is rounded to the other side; and a subquery's window held the
    step at its begin, which another subquery's steps may fall on.
    """
    means = "avg" in query and any(f"{name}(" in query for name in ("round", "ceil", "floor"))
    moved = "predict_linear(" in query and "@" in query
    nested = len(re.findall(r"\[[^\]]*:", query)) > 1
    rates = any(name in query for name in ("rate(", "increase("))
    return pair.theirs.version < (3, 0) and (rates or moved or means or nested)


def _difference(ours: httpx.Response, theirs: httpx.Response) -> str:
    mine, yours = ours.json(), theirs.json()
    if ours.status_code != theirs.status_code or mine["status"] != yours["status"]:
        return f"{ours.status_code} {ours.text[:300]} instead of {theirs.status_code} {theirs.text[:300]}"
    if mine["status"] == "error":
        same = mine["errorType"] == yours["errorType"]
        return "" if same else f"error {mine['errorType']} instead of {yours['errorType']}: {mine['error'][:200]}"
    if mine["data"]["resultType"] != yours["data"]["resultType"]:
        return f"{mine['data']['resultType']} instead of {yours['data']['resultType']}"
    return _results_differ(mine["data"], yours["data"])


def _results_differ(mine: dict[str, Any], yours: dict[str, Any]) -> str:
    if mine["resultType"] in ("scalar", "string"):
        return "" if _close(mine["result"], yours["result"]) else f"{mine['result']} instead of {yours['result']}"
    tables = [
        {tuple(sorted(row["metric"].items())): row.get("values") or [row["value"]] for row in data["result"]}
        for data in (mine, yours)
    ]
    if set(tables[0]) != set(tables[1]):
        more, less = set(tables[0]) - set(tables[1]), set(tables[1]) - set(tables[0])
        return f"series too many {sorted(more)[:3]}, too few {sorted(less)[:3]}"
    for labels, points in tables[0].items():
        others = tables[1][labels]
        if [point[0] for point in points] != [point[0] for point in others]:
            return f"{labels}: {len(points)} points instead of {len(others)}"
        for point, other in zip(points, others, strict=True):
            if not _close(point, other):
                return f"{labels}: {point} instead of {other}"
    return ""


def _close(point: list[Any], other: list[Any]) -> bool:
    mine, yours = float(point[1]), float(other[1])
    if mine == yours or (mine != mine and yours != yours):
        return True
    # A sum of cancelling terms is as exact as its terms are large; 1e-9 relative otherwise.
    return abs(mine - yours) <= 1e-9 * max(abs(mine), abs(yours), 1e-3)


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("labels", {}),
        ("labels", {"match[]": "temperature"}),
        ("label/job/values", {}),
        ("label/le/values", {"match[]": "latency_bucket"}),
        ("label/__name__/values", {}),
        ("series", {"match[]": ['temperature{job="api"}', "load"]}),
        ("series", {"match[]": 'nothing{job="api"}'}),
        ("series", {}),
        ("series", {"match[]": "load", "start": "5", "end": "1"}),
        ("labels", {"start": "9000000000"}),
        ("series", {"match[]": "{"}),
        ("label/job/values", {"match[]": "{}"}),
        ("query", {"query": ""}),
        ("query", {"query": "up", "time": "yesterday"}),
        ("query_range", {"query": "up", "start": "1", "end": "0", "step": "1"}),
        ("query_range", {"query": "up", "start": "0", "end": "1", "step": "0"}),
        ("query_range", {"query": "up", "start": "0", "end": "100000000", "step": "1"}),
        ("query_range", {"query": "up[5m]", "start": "0", "end": "1", "step": "1"}),
        ("query_range", {"query": "up", "start": "0", "end": "1", "step": "abc"}),
        ("query", {"query": "1", "timeout": "abc"}),
        ("metadata", {}),
        ("rules", {}),
        ("alerts", {}),
        ("query_exemplars", {"query": "up", "start": "2", "end": "1"}),
    ],
)
def test_other_calls_have_the_same_answers(pair: Pair, path: str, parameters: dict[str, Any]) -> None:
    ours, theirs = pair.both(path, parameters)
    assert ours.status_code == theirs.status_code, (ours.text, theirs.text)
    mine, yours = ours.json(), theirs.json()
    if yours["status"] == "error":
        assert (mine["status"], mine["errorType"]) == ("error", yours["errorType"])
    else:
        assert mine == yours
