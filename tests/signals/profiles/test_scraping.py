"""Scraping of pprof endpoints: a server that answers what Go's net/http/pprof would."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pilothouse.signals.metrics.errors import ConfigurationError
from pilothouse.signals.receive.pprof_limits import ProfileLimits
from pilothouse.signals.receive.pprof_receiving import ProfileReceiver
from pilothouse.signals.receive.pprof_scraping import ProfileScraper, read_profiles_config
from tests.signals.profiles.building import SECOND, PprofBuilder
from tests.signals.profiles.serving import House

MEMORY = (("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes"))


class Target(BaseHTTPRequestHandler):
    """`/debug/pprof/*` of a program that allocates 1000 bytes more at each scrape, and restarts before the fifth."""

    asked: list[str] = []  # noqa: RUF012 - shared on purpose
    scrapes = 0

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        body = self._answer(self.path.partition("?")[0])
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, path: str) -> bytes:
        if path == "/debug/pprof/profile":
            return PprofBuilder().add([("main.work", "main.go", 5)], SECOND).gzipped()
        if path == "/debug/pprof/allocs":
            type(self).scrapes += 1
            times = self.scrapes if self.scrapes < 5 else self.scrapes - 4
            builder = PprofBuilder(MEMORY).add([("main.fill", "main.go", 9)], times, times * 1000, 1, 70)
            builder.message.time_nanos, builder.message.duration_nanos = time.time_ns(), 0
            return builder.gzipped()
        return b""

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def target() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Target)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_profiles_are_scraped_and_counters_become_differences(house: House, target: str, tmp_path: Path) -> None:
    file = tmp_path / "profiles.yml"
    file.write_text(
        f"scrape_configs:\n- job_name: scraped\n  scrape_interval: 300ms\n  static_configs:\n"
        f"  - targets: ['{target}']\n    labels: {{service_version: 2.0.0, zone: a}}\n"
        "  relabel_configs:\n  - {source_labels: [zone], target_label: region}\n"
    )
    scraper = ProfileScraper(file, ProfileReceiver(house.intake, ProfileLimits()))
    scraper.start()
    try:
        house.wait_for("scraped", "cpu", 2)
        kept = house.wait_for("scraped", "alloc_space", 5)
    finally:
        scraper.close()
    kept = house.get("/api/profiles/types", service="scraped")["types"]
    by_type = {one["type"]: one for one in kept}
    # A thousand bytes each time, the first time not known, and what there is after a restart.
    assert by_type["alloc_space"]["total"] == 1000 * by_type["alloc_space"]["profiles"]
    assert by_type["inuse_space"]["profiles"] == by_type["alloc_space"]["profiles"] + 1
    who = f'service_name="scraped",service_version="2.0.0",region="a",service_instance_id="{target}"'
    assert house.get("/api/profiles/top", selector=who)["functions"][0]["function"] == "main.work"
    assert "/debug/pprof/profile?seconds=1" in Target.asked


def test_relabelling_may_drop_a_target(house: House, target: str, tmp_path: Path) -> None:
    file = tmp_path / "profiles.yml"
    file.write_text(
        f"scrape_configs:\n- job_name: dropped\n  scrape_interval: 100ms\n"
        f"  static_configs: [{{targets: ['{target}']}}]\n"
        "  relabel_configs:\n  - {source_labels: [job], regex: dropped, action: drop}\n"
    )
    scraper = ProfileScraper(file, ProfileReceiver(house.intake, ProfileLimits()))
    scraper.start()
    time.sleep(0.5)
    scraper.close()
    assert house.get("/api/profiles/types", service="dropped")["types"] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "scrape_configs: [{job_name: a, profiles: [heap]}]",
            "scrape_configs.0.profiles: 'heap' is none of",
        ),
        ("scrape_configs: [{}]", "scrape_configs.0.job_name"),
        ("scrape_config: []", "scrape_config: there is no such setting"),
        ("{", "profiles.yml: "),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "profiles.yml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        read_profiles_config(file)
