"""A table of TraceQL searches on stored traces, with what each must find."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from pilothouse.engine import Engine
from pilothouse.signals.traces.compiling.fields import Fields
from pilothouse.signals.traces.compiling.necessary import either, necessary
from pilothouse.signals.traces.compiling.scope import Scope
from pilothouse.signals.traces.spansets.family import family, nested_sets
from pilothouse.signals.traces.spansets.searching import find
from pilothouse.signals.traces.traceql import check, parse, tree
from tests.signals.receive.conftest import Door
from tests.signals.traces.shop_spans import ALL, request

# The spans that are found, as trace:spans; a trace stands once for each of its spansets.
CASES = [
    ("{ }", "1:12345 2:12345 3:12345 4:12345 5:9"),
    ("{ name = `nightly` }", "5:9"),
    ('{ name =~ ".*stock" }', "1:45 2:45 3:45 4:45"),
    ('{ name =~ "stock" }', ""),
    ('{ name !~ "[A-Z].*" && kind != internal }', "1:23 2:23 3:23 4:23"),
    ("{ duration > 300ms }", "4:123 5:9"),
    ("{ duration >= 0.3s && duration < 400ms }", "3:1 4:23"),
    ("{ status = error }", "4:13"),
    ("{ status = ok }", "5:9"),
    ("{ kind = server }", "1:13 2:13 3:13 4:13"),
    ('{ statusMessage = "no stock" }', "4:3"),
    ("{ span:statusMessage != `` }", "4:3"),
    ("{ rootName = `nightly` }", "5:9"),
    ("{ rootServiceName = `jobs` || trace:rootService = `nobody` }", "5:9"),
    ("{ traceDuration >= 400ms && kind = server }", "4:13"),
    ("{ trace:id = `00000000000000000000000000000003` && name = `order` }", "3:3"),
    ("{ span:id = `0000000000000009` }", "5:9"),
    ("{ span:parentID = `0000000000000003` && trace:duration < 150ms }", "1:45"),
    ("{ childCount = 2 }", "1:3 2:3 3:3 4:3"),
    ("{ event:name = `exception` }", "4:3"),
    ("{ event.exception.type = `Deadlock` && event:timeSinceStart > 19ms }", "4:3"),
    ("{ event:timeSinceStart > 21ms }", ""),
    ("{ link:traceID = `00000000000000000000000000000001` }", "5:9"),
    ("{ link.why =~ `la.*` && link:spanID = `0000000000000001` }", "5:9"),
    ("{ instrumentation:name = `jobs-lib` && instrumentation:version = `1.2` && name = `nightly` }", "5:9"),
    ("{ instrumentation.pool = `blue` && kind = internal }", "5:9"),
    ("{ .http.status_code = 500 }", "4:1"),
    ("{ span.http.status_code >= 200 && span.http.status_code < 300 }", "1:1 2:1 3:1"),
    ("{ .http.status_code = `500` }", ""),
    ("{ .http.status_code != 500 }", "1:1 2:1 3:1"),
    ("{ .price = 7 }", ""),
    ("{ .price = `7` && .items > 3 }", "4:3"),
    ("{ .cache }", "2:1 4:1"),
    ("{ !.cache }", "1:1 3:1"),
    ("{ .cache = false }", "1:1 3:1"),
    ("{ .share = 1.5 }", "3:1"),
    ("{ .share > 1 }", "3:1 4:1"),
    ("{ .share = 1 }", "2:1"),
    ("{ .tags = `b` && duration < 100ms }", "1:2"),
    ("{ .tags != `b` }", ""),
    ("{ .tags =~ `[ab]` && duration > 350ms }", "4:2"),
    ('{ ."a b" = "odd" }', "5:9"),
    ("{ resource.env = `dev` }", "5:9"),
    ("{ resource.env != `prod` }", "5:9"),
    ("{ .env =~ `d.v` }", "5:9"),
    ("{ resource.zone = 3 && kind = server && duration < 100ms }", "1:3"),
    ("{ resource.zone > 2 && span.items = 2 }", "2:3"),
    ("{ .zone = 4 }", ""),
    ("{ resource.nothing = `x` }", ""),
    ("{ .nothing != nil }", ""),
    ("{ .items != nil && .items < 2 }", "1:3"),
    ("{ .items = nil && kind = server }", "1:1 2:1 3:1 4:1"),
    ("{ !(.items = 1) && name = `order` }", "2:3 3:3 4:3"),
    ("{ .items * 2 + 1 = 5 }", "2:3"),
    ("{ .items ^ 2 = 9 }", "3:3"),
    ("{ .items % 2 = 1 }", "1:3 3:3"),
    ("{ .items / 2 > 1.5 }", "4:3"),
    ("{ -.items = -1 }", "1:3"),
    ("{ .items = .zone }", "3:3"),
    ("{ 2 < .items }", "3:3 4:3"),
    ("{ parent.items = 2 }", "2:45"),
    ("{ parent.name = `order` && parent.duration > 300ms }", "4:45"),
    ("{ parent = nil }", "1:1 2:1 3:1 4:1 5:9"),
    ("{ nestedSetParent < 0 && resource.env = `prod` }", "1:1 2:1 3:1 4:1"),
    ("{ nestedSetLeft = 1 }", "1:1 2:1 3:1 4:1 5:9"),
    ("{ nestedSetRight - nestedSetLeft = 1 && trace:id = `00000000000000000000000000000002` }", "2:45"),
    ("{ nestedSetParent >= 3 && status != error && .db.system = `postgresql` && duration > 100ms }", "4:5"),
    ("{ 3 <= nestedSetLeft && !(nestedSetParent = 3) && .items > 2 }", "3:3 4:3"),
    ("{ nestedSetRight = 2 || .items = 2 }", "2:3 5:9"),
    ("{ nestedSetLeft = .items }", "3:3"),
    ("{ nestedSetParent > -1 && .items = 3 }", "3:3"),
    ("{ parent.nestedSetLeft = 1 && duration < 100ms }", "1:2"),
    ("{ .share = 0.5 } >> { nestedSetRight < 8 }", "1:45"),
    ("{ } | max(nestedSetRight) < 10", "5:9"),
    ("{ .db.system != nil && trace:duration > 350ms } | by(nestedSetParent)", "4:45"),
    ("{ .nothing = nestedSetLeft }", ""),
    ("{ nestedSetLeft != nil && name = `nightly` }", "5:9"),
    ("{ cidr(.nothing, `10.0.0.0/8`) }", ""),
    ("{ name = `nightly` } || { status = error }", "4:13 5:9"),
    ("{ .items = 1 } && { kind = client }", "1:2345"),
    ("{ name = `nightly` } && { status = error }", ""),
    ("{ name = `call shop` } > { .items = 1 }", "1:3"),
    ("{ name = `GET /order` } > { .items = 1 }", ""),
    ("{ name = `GET /order` } >> { .db.system = `postgresql` && duration > 70ms }", "3:5 4:45"),
    ("{ .items = 2 } < { kind = client }", "2:2"),
    ("{ name =~ `SELECT.*` && duration > 70ms } << { }", "4:123"),
    ("{ name = `SELECT stock` } ~ { duration > 100ms }", "4:5"),
    ("{ name = `SELECT stock` } ~ { name = `SELECT stock` }", ""),
    ("{ kind = server } !> { duration < 45ms }", ""),
    ("{ name = `order` } !> { duration > 250ms }", "3:12 4:123 5:9"),
    ("{ name = `order` } !>> { kind = client && duration > 200ms }", "3:2 4:2"),
    ("{ status = error } !< { duration > 300ms }", "4:13 5:9"),
    ("{ status = error } !<< { kind = server && duration > 200ms }", "3:13 4:3"),
    ("{ name = `SELECT stock` } !~ { duration > 80ms && .db.system != nil }", ""),
    ("{ .items = 4 } &> { name = `UPDATE stock` }", "4:35"),
    ("{ name = `GET /order` && .share = 0.5 } &>> { name = `UPDATE stock` }", "1:15"),
    ("{ name = `UPDATE stock` && duration > 100ms } &<< { status = error }", "4:135"),
    ("{ name = `SELECT stock` } &~ { duration > 100ms }", "4:45"),
    ("{ } | count() > 4", "1:12345 2:12345 3:12345 4:12345"),
    ("{ kind = server } | avg(duration) > 200ms", "3:13 4:13"),
    ("{ kind = client } | max(duration) = 90ms", "1:245"),
    ("{ } | min(.items) + 1 = 4", "3:12345"),
    ("{ } | sum(duration) > 1.2s", "4:12345"),
    ("{ } | count() = 1 | { duration >= 1s }", "5:9"),
    ("{ } | by(kind) | count() > 2", "1:245 2:245 3:245 4:245"),
    ("{ .items < 3 || .share < 2 } | by(resource.service.name)", "1:1 1:3 2:1 2:3 3:1"),
    ("{ kind = server } | by(name) | coalesce() | count() = 2 | { status = error }", "4:13"),
    ("({ status = error } | count() > 1) && ({ kind = client })", "4:12345"),
    ("({ kind = client } | count()) > ({ kind = server } | count())", "1:12345 2:12345 3:12345 4:12345"),
    ("({ kind = client } | count()) + ({ kind = server } | count()) = 5", "1:12345 2:12345 3:12345 4:12345"),
    ("(count() > 4) && ({ name = `order` })", "1:12345 2:12345 3:12345 4:12345"),
    ("({ .items = 4 } | by(kind)) && ({ status = error })", "4:13"),
    ("max(duration) > 500ms", "5:9"),
    ("3 = 2", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def door(files_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    opened = Door(tmp_path_factory.mktemp("traceql"), files_engine)
    opened.send("traces", request())
    # Only merged parts have the index of attributes.
    opened.engine.command("OPTIMIZE TABLE spans FINAL")
    yield opened
    opened.close()


def test_parts_get_the_index_of_attributes_when_they_are_merged(door: Door) -> None:
    parts = "FROM system.parts WHERE database = currentDatabase() AND table = 'spans' AND active"
    sizes = door.engine.query(f"SELECT secondary_indices_uncompressed_bytes AS size {parts}")
    assert all(size > 0 for size in sizes["size"].to_pylist())


@pytest.mark.parametrize("condition", ['.tags = "nobody"', ".items = 77", '(.tags = "nobody" && .items > 1)'])
def test_an_attribute_that_no_span_has_is_looked_for_in_the_index_only(door: Door, condition: str) -> None:
    query = parse(f"{{ {condition} }}").root
    assert isinstance(query, tree.Pipeline)
    stage = query.stages[0]
    assert isinstance(stage, tree.Filter)
    scope = Scope(door.engine, ALL)
    told = necessary(stage.condition, Fields(scope), scope).whole()
    explained = door.engine.query(f"EXPLAIN indexes = 1 SELECT time FROM spans PREWHERE {told}", scope.parameters)
    assert "Name: said" in "\n".join(line.strip() for line in explained.column(0).to_pylist())


def test_the_index_is_not_asked_where_it_could_leave_nothing_out(door: Door) -> None:
    scope = Scope(door.engine, ALL)
    told = [
        necessary(stage.condition, Fields(scope), scope)
        for text in ('{ .tags = "nobody" }', "{ .items = 77 && kind = server }", "{ kind = server }")
        for stage in parse(text).root.stages  # type: ignore[union-attr]
        if isinstance(stage, tree.Filter)
    ]
    assert either(told[:2]).whole().count("indexHint") == 2
    assert either(told).whole().count("indexHint") == 0


def found(door: Door, text: str, **given: int) -> str:
    query = parse(text)
    check(query)
    traces = find(door.engine, query.root, ALL, spans=0, **given)  # type: ignore[arg-type]
    lines = [
        f"{int(trace.trace_id, 16)}:{''.join(sorted(str(int(span.span_id, 16)) for span in spanset.spans))}"
        for trace in traces
        for spanset in trace.spansets
    ]
    return " ".join(sorted(lines))


@pytest.mark.parametrize(("query", "expected"), CASES)
def test_search(door: Door, query: str, expected: str) -> None:
    assert found(door, query) == " ".join(sorted(expected.split()))


def test_nested_sets_number_what_has_a_way_to_a_root() -> None:
    # Two roots in one trace, a child that came before its parent, one whose parent is missing, two in a circle.
    spans = np.array([1, 2, 3, 4, 5, 6, 7, 8], dtype=np.uint64)
    parents = np.array([3, 1, 0, 0, 99, 5, 8, 7], dtype=np.uint64)
    traces = np.zeros(8, dtype=np.int64)
    left, right, parent = nested_sets(family(traces, spans, parents), traces)
    assert left.tolist() == [2, 3, 1, 7, 0, 0, 0, 0]
    assert right.tolist() == [5, 4, 6, 8, 0, 0, 0, 0]
    assert parent.tolist() == [1, 2, -1, -1, 0, 0, 0, 0]
