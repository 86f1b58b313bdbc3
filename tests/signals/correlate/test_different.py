"""What is different about these: spans and lines that have something in common."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pilothouse.signals.correlate.differing import _share
from tests.signals.correlate.test_neighbours import at

RANGE = {"start": at(0), "end": at(60), "service": "checkout"}


def ask(address: str, **parameters: Any) -> Any:
    response = httpx.get(f"{address}/api/correlate/different", params=RANGE | parameters, timeout=60)
    assert response.status_code == 200, response.text
    return response.json()


def test_the_cause_of_the_slow_spans_leads(address: str) -> None:
    said = ask(address, operation="POST /checkout", min_duration="100ms")
    assert (said["inside"], said["outside"]) == (30, 570)
    first = said["differences"][0]
    assert (first["attribute"], first["value"], first["inside"], first["outside"]) == (
        "payment.method", "gift_card", 1.0, 0.0,
    )  # fmt: skip
    assert 0.5 < first["score"] < 1


def test_numbers_are_compared_as_distributions_and_ids_not_at_all(address: str) -> None:
    found = {one["attribute"]: one for one in ask(address, min_duration="100ms")["differences"]}
    assert found["cart.items"]["median_inside"] > 59 > found["cart.items"]["median_outside"]
    assert "request.id" not in found
    assert "http.route" not in found, "all have it"


def test_lines_that_contain_something(address: str) -> None:
    said = ask(address, signal="logs", contains="locked")
    assert said["differences"][0]["value"] == "gift_card"
    assert {one["attribute"] for one in said["differences"]} == {"payment.method"}
    assert ask(address, signal="logs", severity="error")["inside"] == 30


def test_what_was_picked_by_its_attributes(address: str) -> None:
    said = ask(address, picked='payment.method="gift_card"')
    assert said["inside"] == 30
    assert said["selected"] == 'payment.method="gift_card"'


def test_a_selection_like_the_rest_has_no_differences(address: str) -> None:
    said = ask(address, picked='payment.method="card"', operation="POST /checkout")
    assert [one for one in said["differences"] if one["attribute"] not in ("payment.method", "cart.items")] == []


def test_only_a_sample_of_many_rows_is_read(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilothouse.signals.correlate.differing.MOST_ROWS", 100)
    said = ask(address, operation="POST /checkout", min_duration="100ms")
    assert (said["inside"], said["outside"]) == (30, 570)
    assert said["differences"][0]["value"] == "gift_card"


def test_a_handful_of_rows_says_nothing() -> None:
    assert _share("a", "b", "span", 3, 0, 3, 3) is None
    found = _share("a", "b", "span", 30, 0, 30, 3000)
    assert found is not None
    assert found.score > 0.6


def test_a_selection_must_be_said(address: str) -> None:
    response = httpx.get(f"{address}/api/correlate/different", params=RANGE)
    assert response.status_code == 400
    assert "say what is selected" in response.json()["error"]["message"]
