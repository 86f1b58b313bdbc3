"""Compiles many resources to each target: `python -m bench.mesh [RESOURCES]`, as rows of RESULTS.md."""

from __future__ import annotations

import os
import resource
import sys
import time

from pilothouse.mesh.compiling import TARGETS, compile_to
from pilothouse.mesh.compiling.components import Surroundings, components
from pilothouse.mesh.compiling.targets import compile_alone
from pilothouse.mesh.model import (
    Backend,
    Configuration,
    HttpMatch,
    HTTPRouteGroup,
    IdentityRef,
    Name,
    Rule,
    Service,
    ServicePort,
    TrafficSplit,
    TrafficTarget,
    Workload,
)


def configuration(resources: int) -> Configuration:
    """As many splits, targets and groups as asked for, a third of each, with the Services and pods around them."""
    made = Configuration()
    port = ServicePort(80, 8080, "http", "http")
    for number in range(resources // 3):
        space, name = f"team-{number % 50}", f"service-{number}"
        labels = (("app", name),)
        for service in (name, f"{name}-v1", f"{name}-v2"):
            made.services[Name(space, service)] = Service(Name(space, service), (port,), labels, (name,))
        made.workloads[Name(space, name)] = Workload(Name(space, name), labels, name)
        made.add(HTTPRouteGroup(Name(space, name), (HttpMatch("api", "/api/"), HttpMatch("cart", "/cart$", ("GET",)))))
        split = (Backend(f"{name}-v1", 95), Backend(f"{name}-v2", 5))
        made.add(TrafficSplit(Name(space, name), name, split, (name,)))
        caller = IdentityRef("ServiceAccount", Name(space, f"service-{number - 50}"))
        to = IdentityRef("ServiceAccount", Name(space, name))
        made.add(TrafficTarget(Name(space, name), to, (caller,), (Rule("HTTPRouteGroup", name),)))
    return made


def again(target: str, made: Configuration) -> float:
    """CPU-seconds to divide all of it anew and compile the component that changed."""
    around = Surroundings(made)
    begun = time.process_time()
    changed = components(made, around)[0]
    compile_alone(target, changed.configuration())
    return time.process_time() - begun


def main() -> None:
    resources = int(sys.argv[1]) if sys.argv[1:] else 10_000
    made = configuration(resources)
    print(f"{resources} resources in 50 namespaces; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("| mesh | all of it | after one change, by components |\n|---|---|---|")
    for target in TARGETS:
        begun = time.process_time()
        compiled = compile_to(target, made)
        seconds = time.process_time() - begun
        print(f"| {target} | {seconds:.2f} CPU-s, {len(compiled.objects)} objects | {again(target, made):.2f} CPU-s |")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
