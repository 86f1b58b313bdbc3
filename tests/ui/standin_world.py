"""What the stand-in knows: some services, their releases, and what is different between them."""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from tests.ui.standin_stacks import huge_stacks, shop_stacks

Json = dict[str, Any]
Maker = Callable[[dict[str, str]], Json]

START = time.time()
TRACE_IDS = [f"{random.Random(seed).getrandbits(128):032x}" for seed in range(3)]
ALSO = [
    {"measure": "duration p99", "baseline": 31.0, "candidate": 330.0, "unit": "ms", "change": 9.65, "interval": None}
]
LOG_LINES = [
    "ERROR payment retry 3 of 3 for order 81233: card gateway timed out after 30 ms",
    "ERROR payment retry 2 of 3 for order 81240: card gateway timed out after 30 ms",
]


def at(minutes_ago: float) -> str:
    """A time on the wire."""
    moment = datetime.fromtimestamp(time.time() - minutes_ago * 60, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}123Z"


def status() -> Json:
    """`/api/status`."""
    return {
        "version": "0.1.0",
        "uptime_seconds": round(time.time() - START, 1),
        "endpoints": {
            "otlp_grpc": "http://127.0.0.1:4317",
            "otlp_http": "http://127.0.0.1:4318",
            "http": "http://127.0.0.1:4000",
        },
    }


SUMMARIES = {
    "worse": "checkout 2.0.0 is worse than 1.0.0: POST /checkout takes 41 ms instead of 9.1 ms at the median, "
    "the process holds 412 MB instead of 183 MB, and a new error “payment retry <*> of <*> for order <*>” "
    "appears 38 times a minute.",
    "no_worse": "cart 1.4.2 is no worse than 1.4.1: 41 metrics, 6 operations, 12 log patterns and 180 functions "
    "were tested, and a change of 5 % in any would have been seen.",
    "cannot_tell": "Too little was seen of payment 3.1.0 to tell: 14 calls in 40 s.",
}

# service, version, minutes since first and last seen, instances, the version before, the verdict
RELEASES: list[tuple[str, str, float, float, int, str | None, str | None]] = [
    ("checkout", "2.0.0", 9, 0.1, 1, "1.0.0", "worse"),
    ("cart", "1.4.2", 34, 0.1, 3, "1.4.1", "no_worse"),
    ("payment", "3.1.0", 1.2, 0.1, 1, "3.0.7", "cannot_tell"),
    ("checkout", "1.0.0", 118, 0.2, 2, None, None),
    ("cart", "1.4.1", 82, 31, 3, "1.4.0", "no_worse"),
    ("cart", "1.4.0", 107, 80, 3, "1.3.9", "worse"),
    ("cart", "1.3.9", 112, 105, 3, "1.3.8", "no_worse"),
    ("cart", "1.3.8", 119, 110, 2, None, None),
    ("payment", "3.0.7", 116, 0.1, 2, None, None),
    ("frontend", "2026.11.23-rc.1+4f2a91c", 64, 0.1, 4, None, None),
    ("huge", "2.0.0", 20, 3, 1, "1.0.0", None),
    ("huge", "1.0.0", 60, 15, 1, None, None),
    ("slow", "2.0.0", 22, 3, 1, "1.0.0", None),
    ("broken", "1.0.0", 21, 3, 1, "0.0.0", None),
]


def releases() -> list[Json]:
    """`/api/releases`, newest first."""
    return [release(*row) for row in sorted(RELEASES, key=lambda row: row[2])]


def release(
    service: str,
    version: str,
    first: float,
    last: float,
    instances: int,
    previous: str | None,
    verdict: str | None,
) -> Json:
    """One release."""
    page = f"/releases/{service}/{version}?" + urlencode({"baseline": previous, "start": at(20), "end": at(0)})
    judged = verdict and {
        "verdict": verdict,
        "confidence": None if verdict == "cannot_tell" else 0.9996 if verdict == "worse" else 0.95,
        "summary": SUMMARIES[verdict].replace("cart 1.4.2 is no worse than 1.4.1", f"{service} {version} is no worse"),
        "at": at(last),
        "page": page,
    }
    return {
        "service": service,
        "version": version,
        "first_seen": at(first),
        "last_seen": at(last),
        "instances": instances,
        "signals": ["logs", "metrics", "traces", "profiles"][: 2 if service == "frontend" else 4],
        "previous": previous,
        "verdict": judged,
    }


def comparison(service: str, baseline: str, candidate: str) -> Json:
    """`/api/compare`: `checkout` is worse, `payment` has too little, all else is fine."""
    pair = {"service": service, "baseline": baseline, "candidate": candidate}
    verdict = {"checkout": "worse", "huge": "worse", "payment": "cannot_tell"}.get(service, "no_worse")
    findings = checkout_findings(pair) if verdict == "worse" else []
    sequential = service in ("cart", "huge")
    return {
        "service": service,
        "baseline": {"version": baseline, "start": at(20), "end": at(9 if sequential else 0), "instances": 2},
        "candidate": {"version": candidate, "start": at(9), "end": at(0), "instances": 1},
        "kind": "before_after" if sequential else "canary",
        "verdict": verdict,
        "confidence": {"worse": 0.9996, "no_worse": 0.95, "cannot_tell": None}[verdict],
        "summary": SUMMARIES[verdict],
        "missing": missing() if verdict == "cannot_tell" else [],
        "signals": signals(verdict),
        "findings": findings,
        "took_seconds": 0.41,
        "page": f"/releases/{service}/{candidate}?baseline={baseline}",
    }


def missing() -> list[str]:
    """What a verdict would need."""
    return [
        "At least 50 calls of payment 3.1.0 (14 were seen): at the present rate, 100 s more.",
        "CPU profiles of payment 3.1.0: none came. Is its profiler on?",
    ]


def signals(verdict: str) -> Json:
    """How much was tested per signal."""
    tested = {
        "metrics": (41, 3, 0.06),
        "traces": (3, 2, 0.05),
        "logs": (5, 1, None),
        "profiles": (210, 3, 0.03),
    }
    if verdict == "cannot_tell":
        states = {
            "metrics": "cannot_tell",
            "traces": "cannot_tell",
            "logs": "no_worse",
            "profiles": "no_data",
        }
        return {name: signal(states[name], tested[name], "14 of 50 calls") for name in tested}
    return {name: signal(verdict, tested[name], "") for name in tested}


def signal(state: str, tested: tuple[int, int, float | None], note: str) -> Json:
    """One signal's line."""
    count, findings, smallest = (0, 0, None) if state == "no_data" else tested
    return {
        "state": state,
        "tested": count,
        "findings": findings if state == "worse" else 0,
        "smallest_effect": smallest if state in ("worse", "no_worse") else None,
        "note": note if state == "cannot_tell" else "",
    }


def checkout_findings(pair: Json) -> list[Json]:
    """What is different between checkout 1.0.0 and 2.0.0."""
    durations = "/api/traces/durations?" + urlencode({**pair, "operation": "POST /checkout"})
    metric = "/api/metrics/range?" + urlencode({**pair, "name": "process.memory.usage"})
    requests = "/api/metrics/range?" + urlencode({**pair, "name": "http.server.active_requests"})
    clients = "/api/metrics/range?" + urlencode({**pair, "name": "http.client.request.rate"})
    cpu = "/api/profiles/diff?" + urlencode({**pair, "type": "cpu"})
    memory = "/api/profiles/diff?" + urlencode({**pair, "type": "inuse_space"})
    logs = "/api/logs?" + urlencode({"service": "checkout"})
    rows = [
        ("traces", "POST /checkout", "worse", "POST /checkout is slower: 41 ms instead of 9.1 ms (median)",
         "duration p50", 9.1, 41.0, "ms", (3.1, 3.9), TRACE_IDS, durations),
        ("metrics", "process.memory.usage", "worse", "process.memory.usage is higher: 412 MB instead of 183 MB",
         "mean", 191_889_408, 432_013_312, "By", (1.18, 1.33), [], metric),
        ("profiles", "verify_cart_signature", "worse",
         "verify_cart_signature takes 31 % of the CPU time instead of 2.1 %", "share of cpu", 0.021, 0.31, "1",
         (10.1, 18.2), ["main;serve;handle_checkout;verify_cart_signature"], cpu),
        ("profiles", "remember_order", "worse", "remember_order holds 228 MB instead of 3.1 MB", "bytes in use",
         3_250_585, 239_075_328, "By", (60.0, 88.0), [], memory),
        ("logs", "payment retry <*> of <*> for order <*>: card gateway timed out after <*> ms", "worse",
         "New error: payment retry <*> of <*> for order <*>", "lines per minute", None, 38.2, "{line}/min",
         None, LOG_LINES, logs),
        ("traces", "GET /health", "moved", "GET /health is called more often: 0.2/s instead of 0.1/s", "calls",
         0.1, 0.2, "{call}/s", (0.8, 1.2), [], durations.replace("POST+%2Fcheckout", "GET+%2Fhealth")),
        ("metrics", "http.server.active_requests", "worse",
         "http.server.active_requests is higher: 4.2 instead of 1.1", "mean", 1.1, 4.2, "{request}", (2.4, 3.2), [],
         requests),
        ("metrics", "http.client.request.rate", "better", "http.client.request.rate is lower: 8.2/s instead of 11/s",
         "rate", 11.0, 8.2, "{request}/s", (-0.31, -0.19), [], clients),
        ("profiles", "parse_json", "better", "parse_json takes 3.2 % of the CPU time instead of 7.9 %",
         "share of cpu", 0.079, 0.032, "1", (-0.68, -0.5), [], cpu),
    ]  # fmt: skip
    return [finding(rank, *row) for rank, row in enumerate(rows, 1)]


def finding(
    rank: int, signal: str, subject: str, direction: str, title: str, measure: str, baseline: float | None,
    candidate: float, unit: str, interval: tuple[float, float] | None, examples: list[str], api: str,
) -> Json:  # fmt: skip
    """One finding; its change follows from its numbers."""
    return {
        "signal": signal, "subject": subject, "direction": direction, "title": title, "measure": measure,
        "baseline": baseline, "candidate": candidate, "unit": unit,
        "change": None if baseline is None else candidate / baseline - 1,
        "interval": interval, "p_value": 1e-12, "q_value": 1e-10, "rank": rank, "examples": examples,
        "evidence": {"api": api},
        "detail": {"also": ALSO if signal == "traces" and rank == 1 else []},
    }  # fmt: skip


def metric_range(asked: dict[str, str]) -> Json:
    """`/api/metrics/range`: the baseline is level; the candidate begins nine minutes ago, and grows."""
    name = asked["name"]
    unit, low, high = {
        "process.memory.usage": ("By", 1.9e8, 4.9e8),
        "http.server.active_requests": ("{request}", 1.1, 4.6),
    }.get(name, ("{request}/s", 11.0, 8.0))
    now, random_numbers = time.time(), random.Random(7)
    noise = lambda size: size * random_numbers.gauss(0, 0.03)  # noqa: E731
    before = [[now - 1200 + 10 * step, low + noise(low)] for step in range(120)]
    after = [[now - 540 + 10 * step, low + (high - low) * min(1, step / 30) + noise(high)] for step in range(54)]
    labels = {"service_name": asked["service"], "service_instance_id": "a1"}
    return {
        "unit": unit,
        "series": [
            {"name": name, "labels": labels, "version": asked["baseline"], "points": before},
            {"name": name, "labels": labels, "version": asked["candidate"], "points": after},
        ],
    }


def durations(asked: dict[str, str]) -> Json:
    """`/api/traces/durations`: two log-normal humps over exponential buckets."""
    edges = [2 ** (power / 2) for power in range(24)]

    def hump(middle: float, calls: int, spread: float) -> list[int]:
        places = [math.log(math.sqrt(low * high) / middle) for low, high in itertools.pairwise(edges)]
        return [round(calls * 0.35 / spread * math.exp(-((place / spread) ** 2) / 2) / 2.5) for place in places]

    after = [a + b for a, b in zip(hump(41, 1500, 0.4), hump(300, 90, 0.3), strict=True)]
    return {
        "unit": "ms",
        "edges": edges,
        "versions": {asked["baseline"]: hump(9.1, 4100, 0.45), asked["candidate"]: after},
    }


def profile_diff(asked: dict[str, str]) -> Json:
    """`/api/profiles/diff`: of the shop, or a tree of 50,000 frames for `huge`."""
    kind = asked.get("type", "cpu")
    root = huge_stacks(50_000) if asked["service"] == "huge" else shop_stacks(kind)
    unit = "ns" if asked.get("type", "cpu") == "cpu" else "By"
    return {
        "type": asked.get("type", "cpu"), "unit": unit,
        "baseline_total": root["baseline"], "candidate_total": root["candidate"], "root": root,
    }  # fmt: skip


def profile_types(asked: dict[str, str]) -> Json:
    """`/api/profiles/types`."""
    return {
        "types": [{"type": kind, "unit": unit, "profiles": 60} for kind, unit in (("cpu", "ns"), ("inuse_space", "By"))]
    }


def slos(asked: dict[str, str]) -> Json:
    """`/api/slos`: nobody declared one."""
    return {"slos": []}


def hazards(asked: dict[str, str]) -> Json:
    """`/api/hazards`: no cluster is watched."""
    return {"watching": False, "findings": []}


def rules(asked: dict[str, str]) -> Json:
    """`/api/hazards/rules`: none are needed where nothing was found."""
    return {"rules": []}
