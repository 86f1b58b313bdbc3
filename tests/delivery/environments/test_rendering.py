"""What a change means to Kubernetes: objects, their difference, the hazards that it brings."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pilothouse.delivery.environments import read_environments
from pilothouse.delivery.environments.changing import change_of
from pilothouse.delivery.environments.differing import changed_objects, difference
from pilothouse.delivery.environments.errors import EnvironmentsError
from pilothouse.delivery.environments.hazardous import hazards_of
from pilothouse.delivery.environments.model import Environment
from pilothouse.delivery.environments.rendering import render
from pilothouse.hazards.model import Severity
from pilothouse.kube import parse
from tests.delivery.environments.test_placing import DEPLOYMENT
from tests.deploy.helm import helm, needs_helm


def environment(extra: str = "kind: plain, services: [shop]") -> Environment:
    return read_environments(f"environments: [{{name: staging, {extra}}}]", "acme/deploy").named("staging")


def test_plain_manifests_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "staging").mkdir()
    (tmp_path / "staging" / "shop.yaml").write_text(DEPLOYMENT)
    found = render(tmp_path, environment())
    assert [str(one) for one in found.objects] == ["Deployment shop", "ConfigMap other"]
    assert {one.file for one in found.objects} == {"shop.yaml"}
    assert found.how == ["plain manifests, as they are"]
    assert found.complete


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl here, which renders kustomizations")
def test_a_kustomization_is_rendered_by_its_own_tool(tmp_path: Path) -> None:
    folder = tmp_path / "staging"
    folder.mkdir()
    (folder / "shop.yaml").write_text(DEPLOYMENT)
    (folder / "kustomization.yaml").write_text(
        "resources: [shop.yaml]\nnamePrefix: staging-\nimages: [{name: registry:5000/acme/shop, newTag: 9.9.9}]\n"
    )
    found = render(tmp_path, environment("kind: kustomize, services: [shop]"))
    assert found.complete, found.problems
    assert found.how == ["`kubectl kustomize`"]
    deployment = next(one for one in found.objects if one.kind == "Deployment")
    assert deployment.name == "staging-shop"
    assert deployment.content["spec"]["template"]["spec"]["containers"][0]["image"].endswith("shop:9.9.9")


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl here, which renders kustomizations")
def test_what_an_environment_shares_with_others_is_beside_its_folder(tmp_path: Path) -> None:
    base, overlay = tmp_path / "deploy" / "base", tmp_path / "deploy" / "overlays" / "staging"
    base.mkdir(parents=True)
    overlay.mkdir(parents=True)
    (base / "shop.yaml").write_text(DEPLOYMENT)
    (base / "kustomization.yaml").write_text("resources: [shop.yaml]\n")
    (overlay / "kustomization.yaml").write_text(
        "resources: [../../base]\nimages: [{name: registry:5000/acme/shop, newTag: 1.2.3}]\n"
    )
    given = "kind: kustomize, source: {directory: deploy, folder: overlays/staging}, services: [shop]"
    declared = read_environments(f"environments: [{{name: staging, {given}}}]", directory=tmp_path)
    change = change_of(declared.named("staging"), "shop", "1.3.0")
    assert change.problems == ()
    assert list(change.files) == ["overlays/staging/kustomization.yaml"]
    assert "+        image: registry:5000/acme/shop:1.3.0" in change.difference


@pytest.mark.parametrize(
    ("chart", "within"),
    [("chart", True), ("../charts/shop", True), ("../../charts", False), ("/charts", False), ("../.git/x", False)],
)
def test_a_chart_may_lie_anywhere_in_the_source(chart: str, within: bool) -> None:
    extra = f"kind: helm, source: {{folder: production}}, services: {{shop: {{chart: {chart}}}}}"
    if within:
        assert environment(extra).services["shop"].chart == chart
    else:
        with pytest.raises(EnvironmentsError, match=r"shop\.chart: .* must be a path that stays in the source"):
            environment(extra)


@needs_helm
def test_a_chart_that_environments_share_is_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "helm").symlink_to(str(helm()))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    templates = tmp_path / "charts" / "shop" / "templates"
    templates.mkdir(parents=True)
    (templates.parent / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (templates / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: shop}\n"
        'spec: {containers: [{name: shop, image: "shop:{{ .Values.image.tag }}"}]}\n'
    )
    (tmp_path / "staging").mkdir()
    (tmp_path / "staging" / "values.yaml").write_text("image: {tag: 1.2.3}\n")
    found = render(tmp_path, environment("kind: helm, services: {shop: {chart: ../charts/shop}}"))
    assert found.complete, found.problems
    assert found.objects[0].content["spec"]["containers"][0]["image"] == "shop:1.2.3"


def test_what_cannot_be_rendered_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    folder = tmp_path / "staging"
    (folder / "chart").mkdir(parents=True)
    (folder / "chart" / "Chart.yaml").write_text("name: shop\n")
    (folder / "values.yaml").write_text("image: {tag: 1}\n")
    helm = render(tmp_path, environment("kind: helm, services: {shop: {chart: chart}}"))
    assert not helm.objects
    assert "`helm` is not installed" in helm.problems[0]
    alone = render(tmp_path, environment("kind: helm, services: [shop]"))
    assert "values without their chart" in alone.problems[0]
    assert render(tmp_path / "nowhere", environment()).problems == ["staging: there is no such folder"]


def test_the_difference_shows_what_changed_and_no_secret() -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {password: aHVudGVyMg==, user: YQ==}\n---\n"
    before = parse(secret + DEPLOYMENT).objects
    after = parse(secret.replace("aHVudGVyMg==", "bmV3") + DEPLOYMENT.replace("shop:1.2.3", "shop:1.3.0", 1)).objects
    shown = difference(before, after)
    assert "-      - " not in shown.replace("image", "")
    assert "+        image: registry:5000/acme/shop:1.3.0" in shown
    assert "ConfigMap" not in shown
    assert "aHVudGVyMg" not in shown
    assert "bmV3" not in shown
    assert shown.count("(hidden, ") == 3, "the changed one twice, the other as context"
    assert changed_objects(before, after) == 2
    assert difference(before, before) == ""
    assert "too long to be shown" in difference(before, after, longest=10)


def test_only_hazards_that_the_change_brings_are_new() -> None:
    before = parse(DEPLOYMENT).objects
    after = parse(
        DEPLOYMENT.replace("spec:\n      containers", "spec:\n      hostNetwork: true\n      containers")
    ).objects
    nothing = hazards_of(before, before)
    assert not nothing.new
    assert nothing.known
    assert "no new hazards" in nothing.summary
    found = hazards_of(before, after)
    assert found.new
    assert found.new[0].severity == max(one.severity for one in found.new)
    assert found.markdown().startswith(f"- **{found.new[0].rule.id}**")
    assert hazards_of(after, after).new == ()


def test_removing_a_volume_claim_blocks() -> None:
    claim = (
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  serviceName: db\n"
        "  selector: {matchLabels: {app: db}}\n  template:\n    metadata: {labels: {app: db}}\n"
        "    spec: {containers: [{name: db, image: 'db:1'}]}\n"
    )
    before = parse(claim).objects
    after = parse(claim.replace("matchLabels: {app: db}", "matchLabels: {app: other}")).objects
    found = hazards_of(before, after)
    assert found.blocking(Severity.MEDIUM), "a selector cannot be changed in place"
