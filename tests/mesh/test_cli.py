"""`pilothouse mesh` as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pilothouse.cli.mesh import app

SMI = """apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {name: canary, namespace: shop}
spec: {service: checkout, backends: [{service: v1, weight: 95}, {service: v2, weight: 5}]}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: api, namespace: shop}
spec: {matches: [{name: odd, pathRegex: "/x[0-9]+$"}, {name: cart, pathRegex: "/cart$", methods: [GET]}]}
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: t, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: v1}
  sources: [{kind: ServiceAccount, name: web}]
  rules: [{kind: HTTPRouteGroup, name: api}]
"""
PODS = "".join(
    f"""---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080, name: http}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec: {{template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{serviceAccountName: {name}}}}}}}
"""
    for name in ("checkout", "v1", "v2")
)


@pytest.fixture
def smi(tmp_path: Path) -> str:
    (tmp_path / "smi.yaml").write_text(SMI + PODS)
    return str(tmp_path)


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "160"})
    return result.exit_code, result.stdout, result.stderr


def test_compiled_objects_go_to_stdout_and_losses_to_stderr(smi: str) -> None:
    code, out, err = run("compile", "--to", "istio", smi)
    assert code == 0
    assert {found["kind"] for found in yaml.safe_load_all(out)} == {
        "VirtualService", "AuthorizationPolicy", "PeerAuthentication",
    }  # fmt: skip
    assert "&id" not in out
    assert "match odd is denied [path-regex]" in err
    assert run("compile", "--to", "istio", "--strict", smi)[0] == 1
    assert run("compile", "--to", "linkerd", "--strict", smi)[0] == 0


def test_a_request_is_explained(smi: str) -> None:
    code, out, _ = run("explain", "--from", "shop/web", "--to", "shop/checkout", "GET", "/cart", "-f", smi)
    assert code == 1
    assert "95.00 %  shop/v1 as v1  allowed by shop/t (api/cart)" in out
    assert "5.00 %  shop/v2 as v2  DENIED: no TrafficTarget opens shop/v2" in out
    code, out, _ = run("explain", "--from", "web", "--to", "v1", "-n", "shop", "GET", "/x1", "-f", smi, "-o", "json")
    assert code == 0
    assert json.loads(out)["backends"][0]["by"] == ["shop/t (api/odd)"]


def test_versions_are_converted(smi: str) -> None:
    code, out, err = run("convert", "--to-version", "v1alpha1", smi)
    assert (code, err) == (0, "")
    [split] = [found for found in yaml.safe_load_all(out) if found["kind"] == "TrafficSplit"]
    assert [backend["weight"] for backend in split["spec"]["backends"]] == ["95", "5"]


def test_what_is_wrong_is_said_with_its_line_and_the_rest_is_compiled(smi: str) -> None:
    (Path(smi) / "broken.yaml").write_text(SMI.split("---")[0].replace("95", "-95").replace("canary", "broken"))
    code, out, err = run("compile", "--to", "gateway-api", smi)
    assert code == 2
    assert "broken.yaml:4:" in err
    assert "must be a whole number that is not negative, not -95" in err
    assert [found["kind"] for found in yaml.safe_load_all(out)] == ["HTTPRoute"]


def test_checking_counts(smi: str) -> None:
    code, out, _ = run("check", smi)
    assert code == 0
    assert out.endswith("0 errors, 1 warning\n")
    assert json.loads(run("check", smi, "-o", "json")[1])[0]["code"] == "split-access"


@pytest.mark.parametrize(
    "arguments", [("compile", "--to", "osm", "."), ("convert", "--to-version", "v2", "."), ("check", "nowhere")]
)
def test_wrong_arguments_are_named(arguments: tuple[str, ...]) -> None:
    code, _, err = run(*arguments)
    assert code == 3
    assert arguments[-2] in err or arguments[-1] in err or "osm" in err
