"""A rule told to a person."""

from __future__ import annotations

import yaml
from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from pilothouse.hazards.model import Rule

_WAYS = {
    1: "it is always DNS", 2: "jobs do not start, images cannot be pulled", 3: "the API server is overwhelmed",
    4: "new nodes cannot take pods", 5: "log volume grows tenfold", 6: "pods do not reach the replica count",
    7: "a cluster of stateful pods breaks", 8: "the heartbeat of deployments slows down",
    9: "the runtime is broken", 10: "pods are not shut down gracefully",
}  # fmt: skip
_WARNINGS = {
    "daemonsets": "DaemonSets touch every pod", "dns": "DNS is hard",
    "cloud": "cloud infrastructure is not transparent", "isolation": "containers do not contain everything",
}  # fmt: skip


def explanation(rule: Rule) -> Group:
    """All that a rule says, for a terminal."""
    parts: list[tuple[str, str]] = [("why", rule.why), ("what to do", rule.advice)]
    if rule.when:
        parts.append(("in a manifest", rule.when))
    if rule.live:
        parts.append(("in a cluster", rule.live))
    parts += [
        ("in telemetry", f"{proof.query}\nneeds {', '.join(proof.needs)} from {proof.collector}")
        for proof in rule.telemetry
    ]
    if rule.conflict:
        parts.append(("conflicts with", f"{', '.join(rule.conflicts_with)}: {rule.conflict}"))
    if rule.ways:
        parts.append(("of the ten ways", "; ".join(f"{way}, {_WAYS[way]}" for way in rule.ways)))
    if rule.warnings:
        parts.append(("of the four warnings", "; ".join(_WARNINGS[name] for name in rule.warnings)))
    if rule.aliases:
        parts.append(("elsewhere", ", ".join(rule.aliases)))
    for kind, title in (("fail", "speaks on"), ("pass", "silent on")):
        if rule.examples.get(kind):
            parts.append((title, yaml.safe_dump(rule.examples[kind][0], sort_keys=False).rstrip()))
    held = f"sources (held against them on {rule.verified})" if rule.verified else "sources"
    parts.append((held, "\n".join(f"{one} (not read)" if one in rule.unread else one for one in rule.sources)))
    weight = f"{rule.severity} in a manifest, {rule.active} when a cluster is in it, {rule.hurting} when it hurts"
    lines: list[Text | Padding] = [Text(f"{rule.id}  {rule.title}", "bold"), Text(f"{rule.family}; {weight}", "dim")]
    for title, body in parts:
        lines += [Text(title, "cyan"), Padding(Text(body), (0, 0, 0, 4))]
    return Group(*lines)
