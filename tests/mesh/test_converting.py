"""There and back through every version: the same answers, or less and told."""

from __future__ import annotations

import os

import pytest
import yaml
from hypothesis import given, settings

from pilothouse.kube import parse
from pilothouse.mesh.converting import convert
from pilothouse.mesh.evaluating import Call, access, route
from pilothouse.mesh.model import Configuration, Name
from pilothouse.mesh.reading import read_objects
from tests.mesh import strategies

THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH"))


@pytest.mark.parametrize("version", ["v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"])
def test_a_conversion_keeps_the_meaning_or_says_what_it_cannot_keep(version: str) -> None:
    @settings(max_examples=200 if THOROUGH else 15, deadline=None)
    @given(strategies.configurations(), strategies.calls)
    def check(configuration: Configuration, call: Call) -> None:
        made = convert(configuration, version)
        reading = read_objects(parse(yaml.safe_dump_all(made.objects), "converted.yaml").objects)
        assert [str(finding) for finding in reading.findings if finding.level == "error"] == []
        back = reading.configuration
        back.services, back.workloads = configuration.services, configuration.workloads
        before, after = access(configuration, call).allowed, access(back, call).allowed
        assert before or not after, "a conversion opened what was closed"
        lost = {finding.subject.partition(" ")[0] for finding in made.findings}
        assert before == after or lost & {"TrafficTarget", "HTTPRouteGroup", "IdentityBinding", "UDPRoute"}
        checkout = Name("shop", "checkout")
        if not lost & {"TrafficSplit", "HTTPRouteGroup"}:
            before_route, after_route = (route(c, checkout, call.http, 80) for c in (configuration, back))
            assert dict(before_route.backends) == dict(after_route.backends)
        if version == "v1alpha4":
            assert made.findings == []

    check()
