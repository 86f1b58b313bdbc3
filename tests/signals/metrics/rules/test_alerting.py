"""Rules in a running server, beside the real Prometheus with the same file; the real Alertmanager is told."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ports import free_port
from tests.running import RunningServer, start_server
from tests.signals.metrics.real_prometheus import BINARY, RealPrometheus, start_prometheus

_ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = pytest.mark.skipif(
    not BINARY or not _ALERTMANAGER, reason="needs Debian's packages prometheus and prometheus-alertmanager"
)

_CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: {{cluster: c1}}}}
rule_files: ["rules-*.yml"]
alerting:
  alert_relabel_configs: [{{target_label: via, replacement: {sender}}}]
  alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
scrape_configs:
  - job_name: gone
    static_configs: [{{targets: ["127.0.0.1:1"]}}]
"""
_RULES = """
groups:
  - name: shop
    interval: 1s
    rules:
      - {record: "job:up:count", expr: count by (job) (up), labels: {team: shop}}
      - {record: "job:up:double", expr: "job:up:count * 2"}
      - alert: Down
        expr: up == 0
        for: 2s
        labels: {severity: page}
        annotations: {summary: "{{ $labels.instance }} is {{ $value }}"}
      - {alert: Broken, expr: 'sum(up) by (job) + on (job) group_left () (vector(1) or up)'}
      - {alert: Never, expr: "up > 5", for: 90s}
"""


@dataclass
class Watched:
    ours: RunningServer
    theirs: RealPrometheus
    alertmanager: str
    directory: Path

    def both(self, path: str, **parameters: Any) -> tuple[Any, Any]:
        ours = httpx.get(f"{self.ours.http}/prometheus/api/v1/{path}", params=parameters, timeout=60).json()
        theirs = httpx.get(f"{self.theirs.http}/api/v1/{path}", params=parameters, timeout=60).json()
        return ours["data"], theirs["data"]


def until(holds: Callable[[], Any], seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.4)
    return found


def _started(directory: Path) -> RunningServer:
    # What a rule writes each second is stored at once.
    return start_server(directory, "--prometheus-config", str(directory / "ours.yml"), PILOTHOUSE_FLUSH_INTERVAL="1s")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    directory = tmp_path_factory.mktemp("rules")
    port = free_port()
    (directory / "alertmanager.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    assert _ALERTMANAGER
    command = [
        _ALERTMANAGER, f"--config.file={directory / 'alertmanager.yml'}", f"--storage.path={directory / 'am'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with (directory / "alertmanager.log").open("wb") as log:
        alertmanager = subprocess.Popen(command, stdout=log, stderr=log)
    (directory / "rules-1.yml").write_text(_RULES)
    # Alertmanager holds one alert for one set of labels, whoever sent it last: a label says which of the two it was.
    theirs = start_prometheus(directory, _CONFIG.format(port=port, sender="prometheus"))
    (directory / "ours.yml").write_text(_CONFIG.format(port=port, sender="pilothouse"))
    ours = _started(directory)
    found = Watched(ours, theirs, f"http://127.0.0.1:{port}", directory)
    try:
        yield found
    finally:
        found.ours.stop()
        theirs.stop()
        alertmanager.terminate()
        alertmanager.wait(timeout=60)


def _timeless(content: Any) -> Any:
    """Without what differs from one process to the next."""
    if isinstance(content, dict):
        left_out = ("evaluationTime", "lastEvaluation", "activeAt", "keepFiringFor", "lastError")
        # Of a rule without labels Prometheus 3 tells so, Debian's says nothing.
        said = {key: value for key, value in content.items() if key not in left_out and (key, value) != ("labels", {})}
        return {key: _timeless(value) for key, value in said.items()}
    return [_timeless(one) for one in content] if isinstance(content, list) else content


def test_the_same_rules_and_alerts(watched: Watched) -> None:
    def same(path: str) -> bool:
        ours, theirs = watched.both(path)
        return bool(_timeless(ours) == _timeless(theirs) and "firing" in str(ours))

    until(lambda: same("alerts"))
    until(lambda: same("rules"))
    assert watched.both("rules", type="record")[0]["groups"][0]["rules"][0]["name"] == "job:up:count"
    (broken,) = watched.both("rules", **{"rule_name[]": "Broken"})[0]["groups"][0]["rules"]
    assert broken["health"] == "ok"


def test_groups_come_page_by_page(watched: Watched) -> None:
    whole = watched.both("rules")[0]["groups"]
    names, token = [], ""
    for _ in range(len(whole)):
        page = watched.both("rules", group_limit="1", **({"group_next_token": token} if token else {}))[0]
        names += [one["name"] for one in page["groups"]]
        token = page.get("groupNextToken", "")
    assert names == [one["name"] for one in whole]
    assert not token
    for wrong in (
        {"group_next_token": "x"}, {"group_limit": "0"}, {"group_limit": "1", "group_next_token": "x"},
        {"exclude_alerts": "x"},
    ):  # fmt: skip
        answer = httpx.get(f"{watched.ours.http}/prometheus/api/v1/rules", params=wrong)
        assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data"), wrong


def test_what_they_record(watched: Watched) -> None:
    query = "{__name__=~'job:up:.*|ALERTS|ALERTS_FOR_STATE'}"

    def same() -> bool:
        ours, theirs = (
            sorted(sorted(one["metric"].items()) for one in data["result"])
            for data in watched.both("query", query=query)
        )
        return bool(ours) and ours == theirs

    until(same)
    ours, _ = watched.both("query", query="job:up:double")
    assert ours["result"][0]["value"][1] == "2"


def test_alertmanager_is_told(watched: Watched) -> None:
    def told() -> Any:
        alerts = httpx.get(f"{watched.alertmanager}/api/v2/alerts").json()
        return [
            one for one in alerts if one["labels"].get("via") == "pilothouse" and one["labels"]["alertname"] == "Down"
        ]

    (down,) = until(told)
    assert watched.ours.http in down["generatorURL"]
    assert down["labels"] == {
        "alertname": "Down", "cluster": "c1", "instance": "127.0.0.1:1", "job": "gone", "severity": "page",
        "via": "pilothouse",
    }  # fmt: skip
    assert down["annotations"] == {"summary": "127.0.0.1:1 is 0"}
    ours, theirs = watched.both("alertmanagers")
    assert ours == theirs


def test_alerts_outlive_a_restart(watched: Watched) -> None:
    def active() -> Any:
        return [one for one in watched.both("alerts")[0]["alerts"] if one["labels"]["alertname"] == "Down"]

    (before,) = until(active)
    watched.ours.stop()
    again = _started(watched.directory)
    watched.ours = again
    (after,) = until(active)
    # Since when an alert waits is kept as a sample, in whole seconds.
    moved = datetime.fromisoformat(after["activeAt"]) - datetime.fromisoformat(before["activeAt"])
    assert abs(moved) < timedelta(seconds=1.1)
