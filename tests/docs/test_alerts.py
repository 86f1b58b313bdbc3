"""The alerts for Pilothouse itself: they parse, each has its runbook, and each asks for metrics that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from pilothouse.cli.program import program
from tests.acceptance import telemetry
from tests.running import RunningServer

ROOT = Path(__file__).parents[2]
PROMTOOL = shutil.which("promtool")
RULES = ROOT / "deploy" / "alerts" / "pilothouse.yaml"
# `up` is the scraper's own.
_NAMES = re.compile(r"\b(pilothouse_\w+|process_\w+)\b")


def _alerts() -> list[dict[str, object]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_our_own_check_finds_nothing() -> None:
    done = CliRunner().invoke(program("rules"), ["rules", "check", str(RULES)])
    assert done.exit_code == 0, done.output


def test_each_alert_comes_when_it_should_and_not_before() -> None:
    """By unit tests of the rules, which must say of each alert when it comes, and of each when it does not."""
    files = sorted(RULES.parent.glob("*.test.yaml"))
    done = CliRunner().invoke(program("rules"), ["rules", "test", *map(str, files)])
    assert done.exit_code == 0, done.output
    cases = [
        (case["alertname"], bool(case.get("exp_alerts")))
        for file in files
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    assert set(cases) == {(alert["alert"], comes) for alert in _alerts() for comes in (True, False)}


@pytest.mark.skipif(not PROMTOOL, reason="no promtool (Debian's package prometheus)")
def test_promtool_says_the_same() -> None:
    files = map(str, sorted(RULES.parent.glob("*.test.yaml")))
    for arguments in (("check", "rules", str(RULES)), ("test", "rules", *files)):
        done = subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


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
