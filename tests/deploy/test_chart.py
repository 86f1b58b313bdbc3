"""The chart: it renders, is valid Kubernetes, and our own rules find nothing in it, with any of its values."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from typer.testing import CliRunner

from pilothouse.cli.program import program
from pilothouse.control.opening import open_database
from pilothouse.hazards.gathering import role
from pilothouse.kube.schemas.catalog import known_kind
from pilothouse.kube.schemas.validating import validate
from pilothouse.server.access.token_files import TokenFile
from pilothouse.server.access.tokens import TokenStore
from pilothouse.server.config import Config
from tests.deploy.helm import helm, needs_helm
from tests.deploy.rendering import ChartError, _merged, render

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "pilothouse"
CLUSTER = {"replicas": 3, "clickhouse": {"secretName": "ch"}, "postgres": {"secretName": "pg"}}
VALUES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "several replicas": CLUSTER,
    "tls": {"tls": {"secretName": "tls"}, "storage": {"className": "fast"}},
    "no agent, no hazards": {"agent": {"enabled": False}, "hazards": {"enabled": False}},
    "settings": {"settings": {"retention": "14d", "span_metrics": "off"}, "nodeSelector": {"disk": "ssd"}},
    "reached and scraped from outside": {
        "ingress": {
            "enabled": True,
            "host": "ship.example.org",
            "className": "nginx",
            "tlsSecretName": "page",
            "annotations": {"cert-manager.io/cluster-issuer": "main"},
        },
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "tls": {"secretName": "tls"},
    },
    "no policy": {
        "networkPolicy": {"enabled": False},
        "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}],
    },
}


def _objects(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(render(CHART, values)) if one]


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_every_object_is_what_kubernetes_takes(values: dict[str, Any]) -> None:
    objects = _objects(values)
    assert {"StatefulSet", "Service", "ServiceAccount"} <= {one["kind"] for one in objects}
    for one in objects:
        if one["kind"] == "ServiceMonitor":
            # Of the Prometheus operator, which Kubernetes' own definitions do not know.
            continue
        kind = known_kind(one["apiVersion"], one["kind"])
        assert kind, one["kind"]
        problems = list(validate(one, kind))
        assert not problems, f"{one['kind']} {one['metadata']['name']}: {problems}"


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_our_own_rules_find_nothing(values: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(render(CHART, values))
    done = CliRunner().invoke(program("check"), ["check", str(tmp_path), "--show", "info", "--fail-on", "info"])
    assert done.exit_code == 0, done.output


def test_the_rules_can_find_something(tmp_path: Path) -> None:
    """So that the test above means something."""
    text = render(CHART).replace("readOnlyRootFilesystem: true", "privileged: true")
    (tmp_path / "all.yaml").write_text(text)
    done = CliRunner().invoke(program("check"), ["check", str(tmp_path), "--show", "info", "--fail-on", "info"])
    assert done.exit_code == 1


def test_the_plain_manifests_are_the_charts() -> None:
    kept = (ROOT / "deploy" / "manifests" / "pilothouse.yaml").read_text()
    assert list(filter(None, yaml.safe_load_all(kept))) == _objects({}), "run deploy/render_manifests.py"


def _helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([helm() or "helm", *arguments], capture_output=True, text=True, timeout=60)


def _templated(values: dict[str, Any], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    # A helm that was built from source takes the cluster for an ancient one unless it is told.
    return _helm("template", "pilothouse", str(CHART), "-n", "pilothouse", "-f", str(file), "--kube-version", "1.31.0")


@needs_helm
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_helm_renders_the_same(values: dict[str, Any], tmp_path: Path) -> None:
    done = _templated(values, tmp_path)
    assert done.returncode == 0, done.stderr

    def ordered(objects: Any) -> list[str]:
        return sorted(yaml.safe_dump(one) for one in objects if one)

    assert ordered(yaml.safe_load_all(done.stdout)) == ordered(_objects(values))


@needs_helm
def test_helm_finds_nothing_to_complain_about() -> None:
    done = _helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout
    assert "0 chart(s) failed" in done.stdout


@needs_helm
@pytest.mark.parametrize(
    ("values", "words"),
    [
        # As Helm 3 says it, and as Helm 4 does.
        ({"replicas": "two"}, "replicas(: Invalid type. Expected:|': got string, want) integer"),
        ({"replica": 3}, "replica(' | is )not allowed"),
        ({"ingress": {"enabled": True}}, r"ingress\.host"),
        ({"replicas": 2}, r"clickhouse\.secretName"),
    ],
)
def test_helm_refuses_what_cannot_be_and_says_so(values: dict[str, Any], words: str, tmp_path: Path) -> None:
    done = _templated(values, tmp_path)
    assert done.returncode
    assert re.search(words, done.stderr), done.stderr


def test_the_values_are_what_their_schema_says() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    valid = jsonschema_rs.validator_for(schema)
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    assert list(schema["properties"]) == [*defaults, "global"]
    for values in VALUES.values():
        valid.validate(_merged(defaults, values))
    for wrong in (
        {"replica": 3}, {"replicas": 0}, {"ingress": {"hosts": ["a"]}}, {"storage": {"size": "50 GB"}},
        {"settings": {"PILOTHOUSE_RETENTION": "1d"}}, {"serviceMonitor": {"interval": "often"}},
    ):  # fmt: skip
        assert not valid.is_valid(_merged(defaults, wrong)), wrong


def test_a_service_monitor_scrapes_each_replica_once() -> None:
    objects = _objects(VALUES["reached and scraped from outside"])
    [monitor] = [one for one in objects if one["kind"] == "ServiceMonitor"]
    picked = monitor["spec"]["selector"]["matchLabels"].items()
    [service] = [one for one in objects if one["kind"] == "Service" and picked <= one["metadata"]["labels"].items()]
    [endpoint] = monitor["spec"]["endpoints"]
    assert service["spec"]["clusterIP"] == "None"
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert (endpoint["path"], endpoint["scheme"], endpoint["authorization"]["credentials"]["key"]) == (
        "/metrics", "https", "read",
    )  # fmt: skip


def test_an_ingress_without_a_host_is_refused() -> None:
    with pytest.raises(ChartError, match=r"ingress\.host"):
        render(CHART, {"ingress": {"enabled": True}})


def test_several_replicas_without_databases_are_refused() -> None:
    with pytest.raises(ChartError, match=r"clickhouse\.secretName"):
        render(CHART, {"replicas": 2})


def test_the_server_has_the_rights_that_the_rules_need_and_no_secrets() -> None:
    [made] = [one for one in _objects({}) if one["kind"] == "ClusterRole"]
    assert made["rules"] == yaml.safe_load(role())["rules"]
    resources = {name for rule in made["rules"] for name in rule.get("resources", [])}
    assert "secrets" not in resources
    assert {verb for rule in made["rules"] for verb in rule["verbs"]} <= {"get", "list", "watch"}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_every_setting_that_it_gives_is_one(values: dict[str, Any]) -> None:
    known = {f"PILOTHOUSE_{name.upper()}" for name in Config.model_fields} | {"PILOTHOUSE_TOKEN", "SSL_CERT_FILE"}
    for one in _objects(values):
        for container in one.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            assert {variable["name"] for variable in container["env"]} <= known
            # What it is started with is a command that there is.
            done = CliRunner().invoke(program(container["args"][0]), [*container["args"], "--help"])
            assert done.exit_code == 0, done.output


def test_the_secret_that_is_asked_for_is_the_one_that_the_command_makes(tmp_path: Path) -> None:
    made = yaml.safe_load(CliRunner().invoke(program("token"), ["token", "secret"]).stdout)
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert made["metadata"] == {"name": values["auth"]["secretName"], "namespace": "pilothouse"}
    file = tmp_path / "tokens"
    file.write_text(made["stringData"]["tokens"])
    store = TokenStore(open_database("sqlite://"), TokenFile(file))
    assert not store.empty
    scopes = {name: store.caller(made["stringData"][name]).scopes for name in ("admin", "read", "agent")}  # type: ignore[union-attr]
    assert scopes == {"admin": {"admin"}, "read": {"read"}, "agent": {"ingest"}}
    # A Secret that is changed is known without a restart.
    other = yaml.safe_load(CliRunner().invoke(program("token"), ["token", "secret"]).stdout)["stringData"]
    file.write_text(other["tokens"] + "\n# changed\n")
    assert store.caller(other["admin"])
    file.write_text("admin admin short")
    assert TokenStore(open_database("sqlite://"), store._file).caller(other["admin"])
    with pytest.raises(OSError, match=r"tokens:1: .*is wanted"):
        TokenFile(file)


def test_the_image_is_built_from_what_there_is() -> None:
    """It cannot be built here; what it copies, installs and starts can be looked at."""
    text = (ROOT / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        for name in line.split():
            assert (ROOT / name).exists(), name
    project = (ROOT / "pyproject.toml").read_text()
    for extra in re.findall(r"--extra (\w+)", text):
        assert f"\n{extra} = [" in project
    assert text.rstrip().splitlines()[-1].startswith('CMD ["up"')
    assert "USER 65532" in text
    assert "--no-install-recommends git " in text.rpartition("\nFROM ")[2], "what runs needs git"
