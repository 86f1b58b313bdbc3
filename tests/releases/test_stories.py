"""Findings of one cause are one story, and its first cause is the one that was planted."""

from __future__ import annotations

import pytest

from pilothouse.engine import Engine
from pilothouse.releases.comparing import compare
from pilothouse.releases.comparison import Comparison
from pilothouse.releases.finding import Finding
from pilothouse.releases.mark import Mark
from pilothouse.releases.stories.linking import links
from pilothouse.signals.timerange import TimeRange
from tests.releases.linked import Linked, fill_linked
from tests.releases.world import SECOND, START

RANGE = TimeRange(START, START + 60 * SECOND)


@pytest.fixture(scope="module")
def stores(shop: Engine) -> Engine:
    """Four services, each with a 1.0.0 and a 2.0.0 that is slow for a reason of its own."""
    fill_linked(
        shop,
        Linked("burning", "1.0.0"), Linked("burning", "2.0.0", burn=40.0),
        Linked("waiting", "1.0.0"), Linked("waiting", "2.0.0", stalled=0.7),
        Linked("asking", "1.0.0"), Linked("asking", "2.0.0", query=60.0, store_version="6", begins=0.0),
        Linked("after", "1.0.0", begins=-60, ends=0), Linked("after", "2.0.0", query=80.0, store_version="6"),
    )  # fmt: skip
    return shop


def told(engine: Engine, service: str, marks: tuple[Mark, ...] = ()) -> Comparison:
    found = compare(engine, service, "1.0.0", "2.0.0", RANGE, marks=marks)
    assert found.verdict == "worse"
    return found


def test_a_function_that_burns_cpu_is_the_cause(stores: Engine) -> None:
    found = told(stores, "burning")
    story = found.stories[0]
    assert (story.causes[0].kind, story.causes[0].subject) == ("function", "sort_all")
    assert story.causes[0].share == pytest.approx(1.0, abs=0.3)
    assert len(story.findings) >= 2
    assert any("samples of sort_all were taken in spans of GET /items" in words for words in story.links)
    assert story.title.endswith("most likely because of sort_all")


def test_a_line_of_the_slow_requests_is_the_cause(stores: Engine) -> None:
    story = told(stores, "waiting").stories[0]
    assert (story.causes[0].kind, story.causes[0].subject) == ("error", "lock on item <*> waited too long")
    assert any("of the requests that log it are GET /items; those take" in words for words in story.links)


def test_a_dependency_that_got_slow_is_the_cause(stores: Engine) -> None:
    found = told(stores, "asking")
    first = found.stories[0].causes[0]
    assert first.service == "asking-store"
    assert first.share == pytest.approx(1.0, abs=0.2)
    assert {one.service for one in found.stories[0].causes if one.kind == "dependency"} == {"asking-store"}


def test_what_the_dependency_released_is_told(stores: Engine) -> None:
    mark = Mark("after-store", "6", START + SECOND, kind="config", note="index dropped")
    found = told(stores, "after", (mark,))
    assert found.kind == "before_after"
    words = [(one.relation, one.words) for one in found.changes]
    assert ("downstream", "after-store 6 was first seen, after 5") in words
    assert ("downstream", "after-store 6 was configured anew: index dropped") in words
    first = found.stories[0].causes[0]
    assert (first.kind, first.service) == ("change", "after-store")


def test_nothing_worse_has_no_story(shop: Engine) -> None:
    found = compare(shop, "checkout", "1.0.0", "2.0.1", TimeRange(START, START + 30 * SECOND))
    assert [one for one in found.stories if one.direction == "worse"] == []
    assert found.changes == ()


def test_each_finding_is_in_one_story(stores: Engine) -> None:
    found = told(stores, "waiting")
    ranks = [rank for story in found.stories for rank in story.findings]
    assert len(ranks) == len(set(ranks))
    assert {one.rank for one in found.findings if one.direction == "worse"} <= set(ranks)


def test_links_without_proof_by_ids() -> None:
    def finding(rank: int, signal: str, subject: str, **more: object) -> Finding:
        return Finding(
            signal, subject, "worse", "", str(more.pop("measure", "level")), 1e6, 9e6, str(more.pop("unit", "")), 8.0,
            None, 0.0, 0.0, rank, detail=more,
        )  # type: ignore[arg-type]  # fmt: skip

    cpu = finding(1, "metrics", "process.cpu.time", name="process.cpu.time")
    function = finding(2, "profiles", "sort", type="cpu", unit="ns")
    heap = finding(3, "metrics", "process.memory.usage", name="process.memory.usage", unit="By")
    held = finding(4, "profiles", "cache", type="inuse_space", unit="By")
    pairs = {(link.one, link.other) for link in links([cpu, function, heap, held], {})}
    assert pairs == {(1, 2), (3, 4)}
