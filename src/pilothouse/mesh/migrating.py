"""The interface's resources as objects of the Gateway API that their owner keeps: what becomes of each, and in which
order to go about it.

Access has no counterpart in the Gateway API (GEP-3779 has no definition yet): it becomes the mesh's own policies where
one is named, and is a loss otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pilothouse.mesh.compiling import Compiled, Options, compile_to
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.model import Configuration

ACCESS = ("istio", "linkerd")
"""Meshes that take the Gateway API's routes and have access policies of their own."""


@dataclass(slots=True)
class Migration:
    """`objects` without marks of ours, `findings` what is lost or in doubt, `fates` what becomes of each resource, and
    `steps` in the order in which they are safe.
    """

    objects: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    fates: list[tuple[str, str]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def plan(self) -> str:
        """The whole as Markdown."""
        rows = "\n".join(f"| {subject} | {fate} |" for subject, fate in self.fates)
        steps = "\n".join(f"{number}. {step}" for number, step in enumerate(self.steps, 1))
        lost = "\n".join(f"- {finding.subject}: {finding.message}" for finding in self.findings) or "- nothing"
        return (
            "# From the Service Mesh Interface to the Gateway API\n\n"
            f"## What becomes of each resource\n\n| resource | becomes |\n|---|---|\n{rows}\n\n"
            f"## What is lost or in doubt\n\n{lost}\n\n## Steps\n\n{steps}\n"
        )


def migrate(configuration: Configuration, access: str = "", options: Options = Options()) -> Migration:
    """Routes for splits; for targets the policies of the mesh `access` (one of `ACCESS`), if one is named."""
    routes = compile_to("gateway-api", replace(configuration, targets={}), options)
    policies = compile_to(access, replace(configuration, splits={}), options) if access else Compiled()
    made = Migration(findings=[*routes.findings, *policies.findings])
    if not access:
        made.findings += [
            Finding("loss", "no-access", f"TrafficTarget {id}", "", "the Gateway API has no access policy: it is not "
                    "enforced any more (--access istio or linkerd writes that mesh's own)")
            for id in sorted(configuration.targets)
        ]  # fmt: skip
    becomes: dict[str, list[str]] = {}
    for one in [*routes.objects, *policies.objects]:
        sources = str(one["metadata"]["annotations"]["pilothouse.io/from"])
        owned = _owned(one)
        made.objects.append(owned)
        for source in sources.split(", "):
            becomes.setdefault(source, []).append(f"{owned['kind']} {owned['metadata']['name']}")
    subjects = [f"TrafficSplit {id}" for id in sorted(configuration.splits)]
    subjects += [f"TrafficTarget {id}" for id in sorted(configuration.targets)]
    lost = {finding.subject for finding in made.findings if finding.level == "loss"}
    for subject in subjects:
        fate = ", ".join(sorted(set(becomes.get(subject, ())))) or "nothing"
        made.fates.append((subject, f"{fate} (in part)" if subject in lost and subject in becomes else fate))
    made.steps = _steps(configuration, access, made)
    return made


def _owned(one: dict[str, Any]) -> dict[str, Any]:
    """The object as its owner will keep it: without our labels, and a route under the name of its Service."""
    meta = one["metadata"]
    name = str(meta["name"])
    if str(one["apiVersion"]).startswith("gateway.networking.k8s.io/"):
        name = name.removeprefix("smi-")
    return {**one, "metadata": {"name": name, "namespace": meta["namespace"]}}


def _steps(configuration: Configuration, access: str, made: Migration) -> list[str]:
    routes = sorted({str(one["kind"]) for one in made.objects if str(one["kind"]).endswith("Route")})
    experimental = " (TCPRoute is in its experimental channel before 1.6)" if "TCPRoute" in routes else ""
    steps = [f"Install the Gateway API's definitions{experimental} and a mesh that takes Services as parents (GAMMA)."]
    if made.findings:
        steps.append("Read what is lost or in doubt above; decide on each before you go on.")
    if access and configuration.targets:
        steps.append(
            f"Apply the policies of {access} in one go with its default deny, first where it is audited or a namespace "
            "at a time, and hold requests that must pass and must not against them: `pilothouse mesh explain` tells."
        )
    if configuration.splits:
        steps += [
            "Stop what writes TrafficSplits (rollouts, Flagger, Argo Rollouts, the SMI adapter), so that weights stay.",
            "Apply the routes. Where an SMI adapter still holds objects for the same Services, delete its TrafficSplit "
            "in the same moment: a mesh that sees both merges them or takes either.",
            "Wait until each route says Accepted and ResolvedRefs: `kubectl get httproute -A -o yaml`.",
            "Hold the shares against the weights that were: `pilothouse mesh check smi/ --measured --since 5m`.",
            "Point what shifts traffic at the routes' weights.",
        ]
    steps.append("Delete the SMI resources and then their definitions; keep the files for the way back.")
    return steps
