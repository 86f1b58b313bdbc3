"""The meshes that can be compiled to, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pilothouse.mesh.compiling.compiled import Compiled, Options
from pilothouse.mesh.compiling.consul import compile_consul, deny_in_consul
from pilothouse.mesh.compiling.gateway_api import compile_gateway_api
from pilothouse.mesh.compiling.istio import compile_istio, deny_in_istio
from pilothouse.mesh.compiling.linkerd import compile_linkerd
from pilothouse.mesh.model import Configuration

TARGETS: dict[str, Callable[[Configuration, Options], Compiled]] = {
    "istio": compile_istio,
    "linkerd": compile_linkerd,
    "consul": compile_consul,
    "gateway-api": compile_gateway_api,
}
_DENYING: dict[str, Callable[[Configuration], Compiled]] = {"istio": deny_in_istio, "consul": deny_in_consul}
"""Linkerd's Servers deny by themselves; the Gateway API has no access policy."""


def compile_to(target: str, configuration: Configuration, options: Options = Options()) -> Compiled:
    """The objects of a mesh; raises `KeyError` for a mesh that is not known."""
    compiled = compile_alone(target, configuration, options)
    compiled.objects[:0] = denying(target, configuration)
    return compiled


def compile_alone(target: str, component: Configuration, options: Options = Options()) -> Compiled:
    """What is made of a component's splits and targets (`components`), without what is there once for all of them."""
    return TARGETS[target](component, options)


def denying(target: str, configuration: Configuration) -> list[dict[str, Any]]:
    """The objects that are there once: they deny what no target opens, and so come first."""
    return _DENYING[target](configuration).objects if target in _DENYING else []
