"""The alerts for Pilothouse itself: they parse, each has its runbook, and each asks for metrics that there are."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import yaml
from typer.testing import CliRunner

from pilothouse.cli.program import program
from tests.acceptance import telemetry
from tests.running import RunningServer

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "alerts" / "pilothouse.yaml"
# `up` is the scraper's own.
_NAMES = re.compile(r"\b(pilothouse_\w+|process_\w+)\b")


def _alerts() -> list[dict[str, object]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_our_own_check_finds_nothing() -> None:
    done = CliRunner().invoke(program("rules"), ["rules", "check", str(RULES)])
    assert done.exit_code == 0, done.output


def test_each_alert_has_a_runbook() -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "how-to" / "runbook.md").read_text(), re.MULTILINE)
    assert headings == [str(alert["alert"]) for alert in _alerts()]
    for alert in _alerts():
        assert str(alert["annotations"]["runbook_url"]).endswith(f"#{str(alert['alert']).lower()}")  # type: ignore[index]


def test_each_alert_asks_for_what_a_server_says(server: RunningServer) -> None:
    body = telemetry.logs("alerted", ["one"])
    assert httpx.post(f"{server.otlp}/v1/logs", content=body, headers=telemetry.PROTOBUF).status_code == 200
    server.wait_for("/api/logs", "logs", 1, seconds=60, selector='service_name="alerted"')
    said = httpx.get(f"{server.http}/metrics").text
    # A counter that nothing was counted by is not said.
    known = set(re.findall(r"^(\w+)[{ ]", said, re.MULTILINE)) | {"pilothouse_rejected_records_total"}
    wanted = {name for alert in _alerts() for name in _NAMES.findall(str(alert["expr"]))}
    assert wanted <= known
