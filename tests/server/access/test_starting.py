"""What a server starts with: not open by accident, read-only, limited."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilothouse.server.access.building import OpenServerError
from tests.server.access.inside import inside

_MARK = {"service": "shop", "version": "1"}


def test_a_server_that_others_can_reach_does_not_start_without_tokens(tmp_path: Path) -> None:
    with pytest.raises(OpenServerError, match="pilothouse token create"), inside(tmp_path / "a", http="0.0.0.0:4000"):
        pass
    with pytest.raises(OpenServerError), inside(tmp_path / "b", otlp_grpc="[::]:4317"):
        pass
    with inside(tmp_path / "c", http="0.0.0.0:4000", insecure=True) as house:
        assert house.http.get("/api/services").status_code == 200


def test_a_read_only_server_answers_and_does_nothing(tmp_path: Path) -> None:
    with inside(tmp_path / "a", read_only=True) as house:
        assert house.http.get("/api/services").status_code == 200
        for path in ("/api/releases", "/otlp/v1/logs", "/prometheus/-/reload", "/webhooks/github"):
            answer = house.http.post(path, json=_MARK)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "read_only"), path


def test_who_asks_too_much_is_told_when_to_come_back(tmp_path: Path) -> None:
    shop = {"x-scope-orgid": "shop"}
    with inside(tmp_path / "a", requests_per_second=0.5, tenants={"shop": {"requests_per_second": 0.2}}) as house:
        # What a tenant may is less than what each of its callers may; another one has its own.
        answers = [house.http.get("/api/services", headers=shop) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert "tenant shop" in answers[-1].json()["error"]["message"]
        answers = [house.http.get("/api/services") for _ in range(8)]
        assert answers[0].status_code == 200
        assert answers[-1].status_code == 429
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
        assert house.http.get("/-/healthy").status_code == 200
