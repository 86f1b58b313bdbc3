"""Examples in rule files, written as what differs from a clean workload.

    {kind: DaemonSet, pod: {priorityClassName: null}}     one field of a clean DaemonSet taken away
    {container: {image: "nginx"}, friends: false}         a Deployment without its Service and budget
    {object: {kind: StorageClass, ...}}                   any object as it is; `objects` for several
    {old: {...}, new: {...}}                              a change; null is no object

`and` adds objects, `services` so many other Services, `fill` so many bytes of data. `version` is Kubernetes' version,
`live: true` makes it a live cluster. null takes a field away.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pilothouse.hazards.changing import check_change
from pilothouse.hazards.checking import Compiled, check
from pilothouse.hazards.embedded import unfold
from pilothouse.hazards.facts.pods import TEMPLATES
from pilothouse.hazards.facts.world import World
from pilothouse.hazards.model import Finding, Rule
from pilothouse.kube.objects import KubeObject
from pilothouse.kube.parsing import parse
from pilothouse.kube.schemas import kinds

_NAMESPACE = "shop"


@dataclass(slots=True)
class Example:
    """Built objects: one state, or two for a change."""

    objects: list[KubeObject] = field(default_factory=list)
    before: list[KubeObject] | None = None
    kubernetes: float = 0.0
    live: bool = False

    def findings(self, rules: tuple[Rule, ...] | Compiled) -> list[Finding]:
        """What rules find in it."""
        if self.before is not None:
            compiled = rules if isinstance(rules, Compiled) else Compiled(rules)
            return check_change(self.before, self.objects, compiled)
        world = World([*self.objects, *unfold(self.objects)], self.kubernetes, self.live)
        return check(self.objects, rules, world)


def build(raw: dict[str, Any]) -> Example:
    """The example's objects, read from YAML as a user's would be, so that places are found too."""
    if "old" in raw or "new" in raw:
        old, new = raw.get("old"), raw.get("new")
        before = [] if old is None else build(old).objects
        return Example([] if new is None else build(new).objects, before)
    contents = _contents(raw) + [completed(one) for one in raw.get("and") or []] + _many(raw)
    if "fill" in raw:
        contents[0]["data"] = {"filled": "x" * int(raw["fill"])}
    text = "---\n".join(
        yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False, width=2**24) for content in contents
    )
    parsed = parse(text, "example.yaml")
    assert not parsed.problems, parsed.problems
    version = str(raw.get("version") or "")
    minor = float(version.split(".")[1]) if version else 0.0
    return Example(parsed.objects, None, minor, raw.get("live") is True)


def _contents(raw: dict[str, Any]) -> list[dict[str, Any]]:
    if "objects" in raw or "object" in raw:
        return [completed(one) for one in raw.get("objects") or [raw["object"]]]
    made = [workload(raw)]
    if raw.get("friends", True) and raw.get("kind", "Deployment") in ("Deployment", "StatefulSet"):
        made += copy.deepcopy(_clean()["friends"])
    return made


def _many(raw: dict[str, Any]) -> list[dict[str, Any]]:
    ports = [{"name": "http", "port": 80, "appProtocol": "http"}]
    return [
        completed({"kind": "Service", "metadata": {"name": f"other-{number}"}, "spec": {"ports": ports}})
        for number in range(int(raw.get("services", 0)))
    ]


@cache
def _clean() -> Any:
    return yaml.load((Path(__file__).parent / "clean.yaml").read_text(), yaml.CSafeLoader)


def workload(raw: dict[str, Any]) -> dict[str, Any]:
    """A clean workload with an example's changes."""
    kind = raw.get("kind", "Deployment")
    clean = _clean()
    base = clean["kinds"][kind]
    container = merge(merge(clean["container"], base.get("container")), raw.get("container"))
    pod = merge(merge(clean["pod"], base.get("pod")), raw.get("pod"))
    if "containers" not in (raw.get("pod") or {}):
        pod["containers"] = [container, *(merge(clean["container"], one) for one in raw.get("more", ()))]
    template = merge({"metadata": {"labels": {"app": "web"}}}, raw.get("template")) | {"spec": pod}
    spec = merge(base.get("spec") or {}, raw.get("spec"))
    content = completed({"kind": kind, "metadata": merge({"name": "web"}, raw.get("meta"))})
    if kind == "Pod":
        return content | {"metadata": merge(content["metadata"], template["metadata"]), "spec": pod}
    if kind not in ("Job", "CronJob"):
        spec.setdefault("selector", {"matchLabels": {"app": "web"}})
    content["spec"] = spec
    place = content
    for step in TEMPLATES[kind][:-1]:
        place = place.setdefault(str(step), {})
    place["template"] = template
    return content


def merge(base: Any, change: Any) -> Any:
    """RFC 7386: null takes away, mappings go deeper, the rest replaces."""
    if change is None:
        return copy.deepcopy(base)
    if not isinstance(change, dict):
        return change
    made = copy.deepcopy(base) if isinstance(base, dict) else {}
    for name, value in change.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merge(made.get(name, {}), value)
    return made


def completed(content: dict[str, Any]) -> dict[str, Any]:
    """apiVersion, name and namespace where an example leaves them out."""
    if "container" in content or "pod" in content or ("kind" in content and content.get("clean")):
        return workload(content)
    kind = content.get("kind", "")
    known = [one for one in kinds() if one.kind == kind]
    newest = max(known, key=lambda one: (len(one.last), one.last, "beta" not in one.version), default=None)
    made = {
        "apiVersion": newest.api_version if newest else "v1",
        "kind": kind,
        "metadata": {"name": "example"},
    } | content
    # Events and scalers have more than one version in use; the examples mean the stable one.
    if kind == "HorizontalPodAutoscaler" and "apiVersion" not in content:
        made["apiVersion"] = "autoscaling/v2"
    made["metadata"] = {"name": "example"} | made["metadata"]
    if newest is None or newest.namespaced:
        made["metadata"] = {"namespace": _NAMESPACE} | made["metadata"]
    return made
