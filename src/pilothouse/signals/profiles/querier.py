"""`querier.v1.QuerierService`: the calls that Grafana's Pyroscope data source makes, as functions of messages."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.asking import Selection, averaged, costs, kept, kept_of, select
from pilothouse.signals.profiles.exporting import to_pprof_message
from pilothouse.signals.profiles.flamebearer import Flamebearer, flamebearer
from pilothouse.signals.profiles.gathering import gather
from pilothouse.signals.profiles.messages import message_classes
from pilothouse.signals.profiles.profile_types import kept_type, type_of_kept
from pilothouse.signals.profiles.timeline import MOST_POINTS, timeline
from pilothouse.signals.profiles.tree import grow, pruned
from pilothouse.signals.selecting import MILLISECOND, resources
from pilothouse.signals.selector import Matcher, Selector, normalised, parse_selector
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine

_TEXT = """
message LabelPair { string name = 1; string value = 2; }
message Labels { repeated LabelPair labels = 1; }
message Point { double value = 1; int64 timestamp = 2; }
message Series { repeated LabelPair labels = 1; repeated Point points = 2; }
message ProfileType {
  string ID = 1; string name = 2; string sample_type = 4; string sample_unit = 5; string period_type = 6;
  string period_unit = 7;
}
message Level { repeated int64 values = 1; }
message FlameGraph { repeated string names = 1; repeated Level levels = 2; int64 total = 3; int64 max_self = 4; }
message FlameGraphDiff {
  repeated string names = 1; repeated Level levels = 2; int64 total = 3; int64 max_self = 4; int64 leftTicks = 5;
  int64 rightTicks = 6;
}
message ProfileTypesRequest { int64 start = 1; int64 end = 2; }
message ProfileTypesResponse { repeated ProfileType profile_types = 1; }
message LabelValuesRequest { string name = 1; repeated string matchers = 2; int64 start = 3; int64 end = 4; }
message LabelValuesResponse { repeated string names = 1; }
message LabelNamesRequest { repeated string matchers = 1; int64 start = 2; int64 end = 3; }
message LabelNamesResponse { repeated string names = 1; }
message SeriesRequest { repeated string matchers = 1; repeated string label_names = 2; int64 start = 3; int64 end = 4; }
message SeriesResponse { repeated Labels labels_set = 2; }
message SelectMergeStacktracesRequest {
  string profile_typeID = 1; string label_selector = 2; int64 start = 3; int64 end = 4; int64 max_nodes = 5;
}
message SelectMergeStacktracesResponse { FlameGraph flamegraph = 1; }
message SelectMergeSpanProfileRequest {
  string profile_typeID = 1; string label_selector = 2; repeated string span_selector = 3; int64 start = 4;
  int64 end = 5; int64 max_nodes = 6;
}
message SelectMergeSpanProfileResponse { FlameGraph flamegraph = 1; }
message SelectMergeProfileRequest {
  string profile_typeID = 1; string label_selector = 2; int64 start = 3; int64 end = 4;
}
message SelectSeriesRequest {
  string profile_typeID = 1; string label_selector = 2; int64 start = 3; int64 end = 4; repeated string group_by = 5;
  double step = 6;
}
message SelectSeriesResponse { repeated Series series = 1; }
message DiffRequest { SelectMergeStacktracesRequest left = 1; SelectMergeStacktracesRequest right = 2; }
message DiffResponse { FlameGraphDiff flamegraph = 1; }
message GetProfileStatsRequest { }
message GetProfileStatsResponse {
  bool data_ingested = 1; int64 oldest_profile_time = 2; int64 newest_profile_time = 3;
}
"""
MESSAGES = message_classes("pilothouse.querier", _TEXT)
_NODES, _MOST_NODES = 8192, 200_000
# A name at the head of the label list that is not a resource attribute, but that Pyroscope's clients ask for.
_TYPE_LABEL = "__profile_type__"


def profile_types(engine: Engine, request: Any) -> Any:
    """ProfileTypes."""
    answer = MESSAGES["ProfileTypesResponse"]()
    for one in kept(engine, select(engine, Selector(), range_of(request.start, request.end))):
        kind = type_of_kept(one)
        answer.profile_types.add(
            ID=kind.id, name=kind.family, sample_type=kind.type, sample_unit=kind.unit, period_type=kind.period_type,
            period_unit=kind.period_unit,
        )  # fmt: skip
    return answer


def label_names(engine: Engine, request: Any) -> Any:
    """LabelNames: resource attributes, as Prometheus would write them."""
    found = _found(engine, request)
    names = {normalised(name) for resource in found for name in resource.attributes}
    return MESSAGES["LabelNamesResponse"](names=sorted(names | {_TYPE_LABEL} if found else names))


def label_values(engine: Engine, request: Any) -> Any:
    """LabelValues."""
    if request.name == _TYPE_LABEL:
        selection = select(engine, _matching(request.matchers), range_of(request.start, request.end))
        return MESSAGES["LabelValuesResponse"](names=[type_of_kept(one).id for one in kept(engine, selection)])
    wanted = normalised(request.name)
    values = {
        text for one in _found(engine, request) for name, text in one.attributes.items() if normalised(name) == wanted
    }
    return MESSAGES["LabelValuesResponse"](names=sorted(values))


def series(engine: Engine, request: Any) -> Any:
    """Series: the distinct sets of the labels that were asked for."""
    wanted = {normalised(name) for name in request.label_names}
    sets = set()
    for resource in _found(engine, request):
        labels = {normalised(name): text for name, text in resource.attributes.items()}
        sets.add(tuple(sorted((name, text) for name, text in labels.items() if not wanted or name in wanted)))
    answer = MESSAGES["SeriesResponse"]()
    for pairs in sorted(sets - {()}):
        one = answer.labels_set.add()
        for name, text in pairs:
            one.labels.add(name=name, value=text)
    return answer


def select_merge_stacktraces(engine: Engine, request: Any, labels: Selector | None = None) -> Any:
    """SelectMergeStacktraces: a flame graph."""
    wanted, selection = _asked(engine, request, labels)
    there = kept_of(engine, selection, wanted)
    tree = pruned(grow(averaged(costs(engine, wanted, [selection]), there)), _nodes(request))
    return MESSAGES["SelectMergeStacktracesResponse"](flamegraph=_flame_graph(flamebearer(tree)))


def select_merge_span_profile(engine: Engine, request: Any) -> Any:
    """SelectMergeSpanProfile: a flame graph of what ran in some spans."""
    spans = "|".join(span for span in request.span_selector if span.isalnum())
    if not spans:
        raise BadRequestError("span_selector: no span id", "span_selector")
    answer = select_merge_stacktraces(engine, request, Selector((Matcher("span_id", "=~", spans),)))
    return MESSAGES["SelectMergeSpanProfileResponse"](flamegraph=answer.flamegraph)


def select_merge_profile(engine: Engine, request: Any) -> Any:
    """SelectMergeProfile: a pprof message."""
    wanted, selection = _asked(engine, request)
    return to_pprof_message(gather(engine, kept_of(engine, selection, wanted), selection))


def select_series(engine: Engine, request: Any) -> Any:
    """SelectSeries: totals over time."""
    within = range_of(request.start, request.end)
    if not request.step > 0 or within.seconds / request.step > MOST_POINTS:
        raise BadRequestError(f"step: {request.step:g} s makes more than {MOST_POINTS} points, or none", "step")
    wanted = kept_type(request.profile_typeID, "profile_typeID")
    answer = MESSAGES["SelectSeriesResponse"]()
    for line in timeline(engine, _matching([request.label_selector]), within, wanted, request.step, request.group_by):
        one = answer.series.add()
        for name, text in line.labels.items():
            one.labels.add(name=name, value=text)
        for at, value in line.points:
            one.points.add(timestamp=at, value=value)
    return answer


def diff(engine: Engine, request: Any) -> Any:
    """Diff: a flame graph of both sides, each in its own values."""
    (wanted, left), (_, right) = _asked(engine, request.left), _asked(engine, request.right)
    found = flamebearer(pruned(grow(costs(engine, wanted, [left, right])), _nodes(request.left)))
    graph = MESSAGES["FlameGraphDiff"](
        names=found.names, total=sum(found.totals), max_self=found.max_self, leftTicks=found.totals[0],
        rightTicks=found.totals[1],
    )  # fmt: skip
    for level in found.levels:
        graph.levels.add(values=level)
    return MESSAGES["DiffResponse"](flamegraph=graph)


def get_profile_stats(engine: Engine, request: Any) -> Any:
    """GetProfileStats: since when there are profiles."""
    found = resources(engine, Selector(), signal="profiles")
    if not found:
        return MESSAGES["GetProfileStatsResponse"]()
    return MESSAGES["GetProfileStatsResponse"](
        data_ingested=True, oldest_profile_time=min(one.first_seen for one in found) // MILLISECOND,
        newest_profile_time=max(one.last_seen for one in found) // MILLISECOND,
    )  # fmt: skip


CALLS: dict[str, Callable[[Engine, Any], Any]] = {
    "ProfileTypes": profile_types,
    "LabelNames": label_names,
    "LabelValues": label_values,
    "Series": series,
    "SelectMergeStacktraces": select_merge_stacktraces,
    "SelectMergeSpanProfile": select_merge_span_profile,
    "SelectMergeProfile": select_merge_profile,
    "SelectSeries": select_series,
    "Diff": diff,
    "GetProfileStats": get_profile_stats,
}
"""Each call by its name; its request is `MESSAGES[name + "Request"]`."""


def range_of(start: int, end: int) -> TimeRange:
    """From milliseconds; without a start it is all there is, without an end until now."""
    last = end * MILLISECOND if end else time.time_ns()
    if not 0 <= start * MILLISECOND < last < 2**63:
        raise BadRequestError("start: the range is empty, or not in milliseconds since 1970", "start")
    return TimeRange(start * MILLISECOND, last)


def _asked(engine: Engine, request: Any, labels: Selector | None = None) -> tuple[str, Selection]:
    wanted = kept_type(request.profile_typeID, "profile_typeID")
    within = range_of(request.start, request.end)
    return wanted, select(engine, _matching([request.label_selector]), within, labels)


def _found(engine: Engine, request: Any) -> list[Any]:
    return resources(engine, _matching(request.matchers), range_of(request.start, request.end), "profiles")


def _matching(selectors: Any) -> Selector:
    """All matchers of all selectors but those about the profile's type, which is asked for by its id."""
    every = (matcher for text in selectors for matcher in parse_selector(text, "label_selector").matchers)
    return Selector(tuple(matcher for matcher in every if not matcher.label.startswith("__")))


def _nodes(request: Any) -> int:
    return min(max(request.max_nodes, 0) or _NODES, _MOST_NODES)


def _flame_graph(found: Flamebearer) -> Any:
    graph = MESSAGES["FlameGraph"](names=found.names, total=found.totals[0], max_self=found.max_self)
    for level in found.levels:
        graph.levels.add(values=level)
    return graph
