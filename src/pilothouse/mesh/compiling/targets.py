"""The meshes that can be compiled to, by name."""

from __future__ import annotations

from collections.abc import Callable

from pilothouse.mesh.compiling.compiled import Compiled, Options
from pilothouse.mesh.compiling.consul import compile_consul
from pilothouse.mesh.compiling.gateway_api import compile_gateway_api
from pilothouse.mesh.compiling.istio import compile_istio
from pilothouse.mesh.compiling.linkerd import compile_linkerd
from pilothouse.mesh.model import Configuration

TARGETS: dict[str, Callable[[Configuration, Options], Compiled]] = {
    "istio": compile_istio,
    "linkerd": compile_linkerd,
    "consul": compile_consul,
    "gateway-api": compile_gateway_api,
}


def compile_to(target: str, configuration: Configuration, options: Options = Options()) -> Compiled:
    """The objects of a mesh; raises `KeyError` for a mesh that is not known."""
    return TARGETS[target](configuration, options)
