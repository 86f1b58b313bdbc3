"""The environments file: order, defaults, and errors that name the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilothouse.delivery.environments import EnvironmentsError, Placement, Source, Strategy, read_environments
from pilothouse.delivery.environments.model import Kind

FILE = """\
environments:
  - name: production
    order: 2
    strategy: manual
    telemetry: prod
    source: {repository: acme/deploy, branch: live, folder: production}
    kind: helm
    services:
      shop: {file: shop/values.yaml, key: image.tag, prefix: v}
      cart: {kind: plain, image: registry/cart}
    rollout: {traffic: {by: http, url: "http://127.0.0.1:9000"}, steps: [{weight: 10}]}
  - {name: staging, order: 1, strategy: Auto, kind: kustomize, services: [shop, cart]}
  - {name: lab, order: 0, strategy: Never, services: [shop]}
"""


def test_what_a_file_says() -> None:
    found = read_environments(FILE, "acme/shop")
    assert [one.name for one in found.all] == ["lab", "staging", "production"]
    staging, production = found.named("staging"), found.named("production")
    assert staging.source == Source("acme/shop", folder="staging")
    assert staging.placement("cart") == Placement(Kind.KUSTOMIZE, file="kustomization.yaml", image="cart")
    assert production.strategy is Strategy.MANUAL
    assert production.telemetry == "prod"
    assert str(production.source) == "acme/deploy@live/production"
    assert production.placement("shop") == Placement(Kind.HELM, file="shop/values.yaml", key="image.tag", prefix="v")
    assert production.placement("cart") == Placement(Kind.PLAIN, image="registry/cart")


def test_the_way_of_a_version() -> None:
    found = read_environments(FILE, "acme/shop")
    assert found.first("shop") == found.named("staging")
    assert found.after("staging", "shop") == found.named("production")
    assert found.after("production", "shop") is None
    assert found.first("nobody") is None


@pytest.mark.parametrize(
    ("text", "repository", "why"),
    [
        ("services: [shop]", "acme/shop", ""),
        ("services: [shop]", "eve/shop", "a does not take shop from eve/shop"),
        ("services: [shop]", "acme/x/shop", "a does not take shop"),
        ("services: {shop: {from: other/shop}}", "other/shop", ""),
        ("services: {shop: {from: other/shop}}", "acme/shop", "a takes shop from other/shop"),
        ("services: [shop], source: {directory: /srv}", "acme/shop", "would say `from: acme/shop`"),
        ("services: [cart]", "eve/shop", ""),
    ],
)
def test_whose_releases_are_taken(text: str, repository: str, why: str) -> None:
    found = read_environments(f"environments: [{{name: a, strategy: Auto, {text}}}]", "acme/deploy")
    said = found.why_not_from(repository, "shop")
    assert why in said
    assert bool(why) == bool(said)


def test_folders_of_this_machine(tmp_path: Path) -> None:
    found = read_environments("environments: [{name: a}, {name: b, source: {directory: ../b}}]", directory=tmp_path)
    assert found.named("a").source == Source(directory=str(tmp_path), folder="a")
    assert found.named("b").source == Source(directory=str(tmp_path / "../b"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a mapping"),
        ("environments: {}", "must be a list"),
        ("environment: []", "environment: no such field"),
        ("environments: [{}]", r"environments\[0\]\.name: must be letters"),
        ("environments: [{name: ../x}]", r"environments\[0\]\.name: must be letters"),
        ("environments: [{name: a, strategy: Sometimes}]", r"strategy: 'Sometimes' is not Auto, Manual, Never"),
        ("environments: [{name: a}, {name: a}]", "'a' is there twice"),
        ("environments: [{name: a, source: {folder: ../..}}]", "stays in the source"),
        ("environments: [{name: a, source: {folder: /etc}}]", "stays in the source"),
        ("environments: [{name: a, services: {s: {file: ../../x}}}]", "stays in the source"),
        ("environments: [{name: a, services: {s: {tag: x}}}]", r"services\.s\.tag: no such field"),
        ("environments: [{name: a, order: first}]", "order: must be a number"),
        ("environments: [{name: a, source: {repository: a/b, directory: /c}}]", "not both"),
        ("environments: [", "is not YAML"),
        ("a: &a [*a]", "is not YAML|no such field"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(EnvironmentsError, match=said):
        read_environments(text, "acme/shop")


def test_unknown_names_say_what_there_is() -> None:
    found = read_environments(FILE, "acme/shop")
    with pytest.raises(EnvironmentsError, match="there are lab, staging, production"):
        found.named("prod")
    with pytest.raises(EnvironmentsError, match="lab: has no service 'cart'; it has shop"):
        found.named("lab").placement("cart")
