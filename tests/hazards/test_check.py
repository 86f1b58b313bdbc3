"""`pilothouse check` as a person runs it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pilothouse.cli.program import program

WEB = """\
# the shop's front
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # keep this
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      terminationGracePeriodSeconds: 0  # too short
      containers:
      - name: web
        image: 'registry.example.com/web:1'
        resources:
          requests: {cpu: 100m, memory: 64Mi}
          limits: {memory: 64Mi}
"""
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec: {maxUnavailable: 0, selector: {matchLabels: {app: web}}}
"""


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(program("check"), ["check", *arguments], input=stdin)


def found(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "-o", "json", "--show", "info")
    assert result.exit_code in (0, 1), result.output
    findings: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return findings


@pytest.fixture
def web(tmp_path: Path) -> Path:
    path = tmp_path / "web.yaml"
    path.write_text(WEB)
    return path


def test_text_shows_line_caret_and_fix(web: Path) -> None:
    result = run(str(web))
    assert result.exit_code == 0
    assert "web.yaml:15:7" in result.stdout
    assert "    15 |       terminationGracePeriodSeconds: 0" in result.stdout
    assert "+      terminationGracePeriodSeconds: 60" in result.stdout
    assert "\x1b[" not in result.stdout


def test_exit_codes(web: Path, tmp_path: Path) -> None:
    budget = tmp_path / "budget.yaml"
    budget.write_text(BUDGET)
    assert run(str(web)).exit_code == 0
    assert run(str(web), "--fail-on", "medium").exit_code == 1
    assert run(str(web), str(budget)).exit_code == 1
    assert run(str(web), str(budget), "--fail-on", "never").exit_code == 0
    broken = tmp_path / "broken.yaml"
    broken.write_text("kind: [\n")
    result = run(str(web), str(broken))
    assert result.exit_code == 2
    assert "broken.yaml:2:1" in result.stdout
    assert "POD-007" in result.stdout
    for arguments in ([], [str(web), "--fail-on", "x"], [str(web), "-o", "x"], [str(web), "--only", "x"],
                      [str(web), "-k", "9.9"], [str(web), "--baseline", str(web)]):  # fmt: skip
        assert run(*arguments).exit_code == 2


def test_stdin_and_json(web: Path) -> None:
    result = run("-", "-o", "json", stdin=WEB)
    content = json.loads(result.stdout)
    assert content["objects"] == 1
    assert {one["file"] for one in content["findings"]} == {"-"}
    (grace,) = (one for one in content["findings"] if one["rule"] == "POD-007")
    assert (grace["line"], grace["column"], grace["state"]) == (15, 7, "latent")
    assert grace["path"] == "spec.template.spec.terminationGracePeriodSeconds"


def test_the_other_formats_are_what_they_say(web: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.yaml"
    evil.write_text(BUDGET.replace("name: web,", 'name: "<b>x</b>\\u001b[31m\\n::error::",'))
    files = (str(web), str(evil))
    sarif = json.loads(run(*files, "-o", "sarif").stdout)
    (only,) = sarif["runs"]
    assert only["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] > 0
    assert all(only["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"] for one in only["results"])
    suites = ElementTree.fromstring(run(*files, "-o", "junit").stdout)
    assert suites.findall(".//failure")
    github = run(*files, "-o", "github").stdout.splitlines()
    assert all(line.startswith("::") and not line.startswith("::error::") for line in github)
    markdown = run(*files, "-o", "markdown").stdout
    assert "### POD-010" in markdown
    assert "<b>" not in "".join(markdown.split("```")[::2])
    html = run(*files, "-o", "html").stdout
    assert "<b>x" not in html
    assert "&lt;b&gt;" in html
    assert "<script" not in html
    assert "\x1b" not in run(*files).stdout


def test_a_baseline_leaves_only_what_is_new(web: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    assert run(str(web), "--write-baseline", str(baseline)).exit_code == 0
    assert found(str(web), "--baseline", str(baseline)) == []
    web.write_text("# a line more\n" + WEB.replace("limits: {memory: 64Mi}", "limits: {}"))
    assert {one["rule"] for one in found(str(web), "--baseline", str(baseline))} == {"ISO-001"}


def annotated(text: str) -> str:
    return WEB.replace("  namespace: shop\n", f"  namespace: shop\n  annotations:\n    {text}\n")


@pytest.mark.parametrize(
    ("annotation", "excepted"),
    [
        ('hazards.pilothouse.dev/except-POD-007: "stateless; until 2199-01-01"', True),
        ('hazards.pilothouse.dev/except-POD-007: "stateless"', True),
        ('hazards.pilothouse.dev/except-POD-007: "stateless; until 2001-01-01"', False),
        ('hazards.pilothouse.dev/except-POD-007: ""', False),
        ('kube-linter.io/ignore-all: "moving over"', True),
        ('polaris.fairwinds.com/exempt: "true"', True),
        ('polaris.fairwinds.com/exempt: "false"', False),
    ],
)
def test_exceptions_by_annotation(web: Path, annotation: str, excepted: bool) -> None:
    web.write_text(annotated(annotation))
    assert ("POD-007" not in {one["rule"] for one in found(str(web))}) is excepted


@pytest.mark.parametrize(
    "annotation",
    [
        'ignore-check.kube-linter.io/unset-memory-requirements: "x"',
        'polaris.fairwinds.com/memoryLimitsMissing-exempt: "true"',
        'kube-score/ignore: "container-resources,pod-probes"',
    ],
)
def test_other_tools_annotations_switch_off_the_rule_that_means_the_same(web: Path, annotation: str) -> None:
    without = WEB.replace("limits: {memory: 64Mi}", "limits: {}")
    web.write_text(without)
    assert "ISO-001" in {one["rule"] for one in found(str(web))}
    web.write_text(annotated(annotation).replace("limits: {memory: 64Mi}", "limits: {}"))
    assert "ISO-001" not in {one["rule"] for one in found(str(web))}


def test_exceptions_in_a_file_and_popeyes(web: Path, tmp_path: Path) -> None:
    path = tmp_path / "exceptions.yaml"
    path.write_text("exceptions:\n- {rule: POD-*, name: web, reason: known}\n- {rule: DNS-001, reason: old}\n")
    result = run(str(web), "--exceptions", str(path))
    assert "POD-007" not in result.stdout
    assert "DNS-001 is not needed any more" in result.stdout
    path.write_text("exceptions:\n- {rule: POD-007}\n")
    assert run(str(web), "--exceptions", str(path)).exit_code == 2
    path.write_text("popeye:\n  excludes:\n    global:\n      codes: ['106']\n")
    web.write_text(WEB.replace("limits: {memory: 64Mi}", "limits: {}"))
    rules = {one["rule"] for one in found(str(web), "--exceptions", str(path))}
    assert "ISO-001" not in rules
    assert "POD-007" in rules


def test_fix_changes_nothing_but_what_it_fixes(web: Path) -> None:
    result = run(str(web), "--fix")
    assert "1 fixed" in result.stderr
    # The comment keeps its column.
    assert web.read_text() == WEB.replace("Seconds: 0  #", "Seconds: 60 #")
    assert run(str(web), "--fix").stderr == ""


def test_fix_in_a_file_of_many_documents(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    other = BUDGET.replace("maxUnavailable: 0", "maxUnavailable: 1")
    path.write_text(f"{WEB}---\n# the budget\n{other}---\n{other.replace('name: web', 'name: two')}")
    run(str(path), "--fix")
    text = path.read_text()
    assert text.count("unhealthyPodEvictionPolicy: AlwaysAllow") == 2
    assert "# the budget" in text
    assert "name: web   # keep this" in text


def test_against_a_revision_and_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    (tmp_path / "deploy").mkdir()
    path = tmp_path / "deploy" / "web.yaml"
    path.write_text(WEB)
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *command], check=True)
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "web.yaml").write_text(WEB)
    path.write_text(WEB.replace("  replicas: 2\n", ""))
    for against in ("main", "before"):
        assert "CHG-001" in {one["rule"] for one in found("deploy", "--against", against)}
    assert "CHG-001" not in {one["rule"] for one in found("deploy")}
    assert run("deploy", "--against", "nowhere").exit_code == 2
    assert run("deploy", "--against", "--output=x").exit_code == 2


def test_explain(web: Path) -> None:
    result = run("--explain", "dns-001")
    assert result.exit_code == 0
    assert "Zalando" in result.stdout
    assert "coredns_dns_responses_total" in result.stdout
    assert "DNS-004" in run("--explain", "DNS-999").stderr


def test_own_rules(web: Path, tmp_path: Path) -> None:
    rules = tmp_path / "own.yaml"
    rules.write_text(
        "family: shop\nrules:\n- id: SHOP-001\n  title: No owner\n  severity: high\n  scope: object\n"
        "  kinds: [Deployment]\n  when: '!(\"owner\" in object.metadata.?labels.orValue({}))'\n"
        "  why: Nobody answers for it.\n  message: ${object.metadata.name} has no owner\n"
    )
    result = run(str(web), "--rules", str(rules))
    assert result.exit_code == 1
    assert "web has no owner" in result.stdout
    rules.write_text(rules.read_text().replace("object.metadata.?labels", "object.("))
    refused = run(str(web), "--rules", str(rules))
    assert refused.exit_code == 2
    assert "SHOP-001" in refused.stderr


def test_a_corefile_and_the_role(tmp_path: Path) -> None:
    path = tmp_path / "Corefile"
    path.write_text(".:53 {\n    forward . /etc/resolv.conf\n}\n")
    assert {"DNS-007", "DNS-008"} <= {one["rule"] for one in found(str(path))}
    assert "customresourcedefinitions" in run("--role").stdout
    assert "networkpolicies" in run("--role").stdout


ODD = """\
apiVersion: apps/v1, kind: Deployment, metadata: 5, spec: [1]
apiVersion: apps/v1, kind: Deployment, metadata: {name: [1]}, spec: {template: {spec: {containers: {a: 1}}}}
apiVersion: v1, kind: Pod, metadata: {labels: [1], annotations: 5}, spec: {containers: [1, null, {env: 5}]}
apiVersion: example.com/v1, kind: Unknown, metadata: {name: x}, spec: {a: &a {b: c}, d: *a}
apiVersion: v1, kind: Service, metadata: {name: x}, spec: {selector: [1], ports: {a: b}, type: 5}
apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: x}, spec: {podSelector: 5, ingress: [5]}
apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: x}, spec: {scaleTargetRef: 5, metrics: 5}
apiVersion: batch/v1, kind: CronJob, metadata: {name: x}, spec: {schedule: 5, jobTemplate: 7}
apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: x}, spec: {maxUnavailable: x%, selector: 1}
apiVersion: v1, kind: Secret, metadata: {name: x}, data: [1]
apiVersion: v1, kind: List, items: {a: 1}
"""
BYTES = [b"", b"\x00\x01\x02\xff", b"kind: {{ .Values.kind }}\n", b"[" * 5_000, b"- a\n- b\n", b"a: &a [*a]\n"]


@pytest.mark.parametrize("content", [*BYTES, *(f"{{{line}}}\n".encode() for line in ODD.splitlines())])
def test_any_yaml_is_findings_or_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.yaml"
    path.write_bytes(content)
    result = run(str(path), "-o", "json")
    assert result.exit_code in (0, 1, 2)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    said = json.loads(result.stdout)
    assert not said["notes"], said["notes"]
    assert len(said["problems"]) <= 2
