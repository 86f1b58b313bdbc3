"""A version changed in files: only its characters, whatever stands around them."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
import yaml
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from pilothouse.delivery.environments import EditError, Placement
from pilothouse.delivery.environments.folders import Directory
from pilothouse.delivery.environments.model import Kind
from pilothouse.delivery.environments.placing import changed, declared
from pilothouse.delivery.environments.scalars import find, replaced, values

VALUES = """\
# Values of the shop.      (two spaces and a tab before this:  \t kept)
replicaCount:   3


image:                       # the image
    repository: "registry.example.org/acme/shop"
    tag: {}     # moved by promotions
    pullPolicy: 'IfNotPresent'
list: [a,   b, {{c: 1}}]
folded: >-
  some
    text
anchors: &one {{x: 1}}
same: *one
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  labels: {app.kubernetes.io/name: shop, app.kubernetes.io/version: "1.2.3"}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: shop}}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: shop
        app.kubernetes.io/version: 1.2.3
    spec:
      containers:
        - name: shop
          image: "registry:5000/acme/shop:1.2.3"   # the shop
          env:
            - {name: OTEL_RESOURCE_ATTRIBUTES, value: "service.name=shop,service.version=1.2.3,x=1.2.3"}
        - name: proxy
          image: registry:5000/acme/proxy:1.2.3
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other, labels: {app.kubernetes.io/version: 1.2.3}}
data:
  image: registry:5000/acme/shop:1.2.3
"""
KUSTOMIZATION = """\
resources:
  - ../base
# images are moved by promotions
images:
  - name: registry.example.org/acme/shop
    newTag: v1.2.3 # the shop
  - name: acme/proxy
    newName: mirror/proxy
commonLabels: {team: web}
"""
PLAIN = Placement(Kind.PLAIN, image="shop")


def written(folder: Path, **files: str) -> Directory:
    for name, text in files.items():
        (folder / name.replace("_yaml", ".yaml")).write_text(text, newline="")
    return Directory(folder)


def lines_changed(before: str, after: str) -> list[str]:
    return [
        line[1:].strip()
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
        if line.startswith("+") and not line.startswith("+++")
    ]


def test_helm_values(tmp_path: Path) -> None:
    folder = written(tmp_path, values_yaml=VALUES.format('"1.0.0"'))
    placement = Placement(Kind.HELM, file="values.yaml", key="image.tag", prefix="v")
    assert declared(folder, placement) == "1.0.0"
    made = changed(folder, placement, "1.1.0")
    assert made == {"values.yaml": VALUES.format('"v1.1.0"')}


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("1.0.0", "1.1.0", "1.1.0"),
        ("1.0", "1.10", '"1.10"'),
        ("'1.0'", "1.10", "'1.10'"),
        ("abc", "1e3", '"1e3"'),
        ("abc", "0x1f", '"0x1f"'),
        ("abc", "010", '"010"'),
        ("abc", "2026-11-25", '"2026-11-25"'),
        ("abc", "no", '"no"'),
        ("!!str 1.0", "2.0", '!!str "2.0"'),
    ],
)
def test_a_version_stays_text(old: str, new: str, shown: str, tmp_path: Path) -> None:
    folder = written(tmp_path, values_yaml=VALUES.format(old))
    made = changed(folder, Placement(Kind.HELM, file="values.yaml", key="image.tag"), new)["values.yaml"]
    assert made == VALUES.format(shown)
    assert yaml.safe_load(made)["image"]["tag"] == new


def test_helm_charts_dependency(tmp_path: Path) -> None:
    text = "dependencies:\n- {name: db, version: 9.0.0}\n- name: shop\n  version: 1.0.0\n"
    folder = written(tmp_path, Chart_yaml=text)
    placement = Placement(Kind.HELM, file="Chart.yaml", key="dependencies[name=shop].version")
    assert changed(folder, placement, "1.1.0")["Chart.yaml"] == text.replace("1.0.0", "1.1.0")


def test_plain_manifests_change_the_image_and_what_repeats_its_version(tmp_path: Path) -> None:
    folder = written(tmp_path, shop_yaml=DEPLOYMENT)
    assert declared(folder, PLAIN) == "1.2.3"
    made = changed(folder, PLAIN, "1.3.0")["shop.yaml"]
    assert lines_changed(DEPLOYMENT, made) == [
        'labels: {app.kubernetes.io/name: shop, app.kubernetes.io/version: "1.3.0"}',
        "app.kubernetes.io/version: 1.3.0",
        'image: "registry:5000/acme/shop:1.3.0"   # the shop',
        '- {name: OTEL_RESOURCE_ATTRIBUTES, value: "service.name=shop,service.version=1.3.0,x=1.2.3"}',
    ]


def test_a_label_of_the_selector_stays(tmp_path: Path) -> None:
    text = DEPLOYMENT.replace(
        "matchLabels: {app.kubernetes.io/name: shop}", "matchLabels: {app.kubernetes.io/version: 1.2.3}"
    )
    made = changed(written(tmp_path, shop_yaml=text), PLAIN, "1.3.0")["shop.yaml"]
    assert yaml.safe_load(made.split("---")[0])["metadata"]["labels"]["app.kubernetes.io/version"] == "1.2.3"
    assert "acme/shop:1.3.0" in made


def test_kustomize_images(tmp_path: Path) -> None:
    folder = written(tmp_path, kustomization_yaml=KUSTOMIZATION)
    shop = Placement(Kind.KUSTOMIZE, file="kustomization.yaml", image="shop", prefix="v")
    assert declared(folder, shop) == "1.2.3"
    assert changed(folder, shop, "1.3.0")["kustomization.yaml"] == KUSTOMIZATION.replace("v1.2.3", "v1.3.0")
    proxy = Placement(Kind.KUSTOMIZE, file="kustomization.yaml", image="proxy")
    assert declared(folder, proxy) == ""
    made = changed(folder, proxy, "2.0.0")["kustomization.yaml"]
    assert lines_changed(KUSTOMIZATION, made) == ['newTag: "2.0.0"']
    new = Placement(Kind.KUSTOMIZE, file="kustomization.yaml", image="acme/new")
    made = changed(folder, new, "1.0.0")["kustomization.yaml"]
    assert lines_changed(KUSTOMIZATION, made) == ["- name: acme/new", 'newTag: "1.0.0"']
    assert yaml.safe_load(made)["images"][2] == {"name": "acme/new", "newTag": "1.0.0"}


@pytest.mark.parametrize("text", ["resources: [../base]\n", "resources: [../base]", ""])
def test_a_kustomization_without_images_gets_some(text: str, tmp_path: Path) -> None:
    placement = Placement(Kind.KUSTOMIZE, file="kustomization.yaml", image="acme/shop")
    made = changed(written(tmp_path, kustomization_yaml=text), placement, "1.0.0")["kustomization.yaml"]
    assert made.startswith(text)
    assert yaml.safe_load(made)["images"] == [{"name": "acme/shop", "newTag": "1.0.0"}]


@pytest.mark.parametrize(
    ("placement", "files", "version", "said"),
    [
        (Placement(Kind.HELM, file="values.yaml", key="image.tga"), VALUES.format("1"), "2", "no such key"),
        (Placement(Kind.HELM, file="values.yaml", key="image"), VALUES.format("1"), "2", "not a single value"),
        (Placement(Kind.HELM, file="values.yaml", key="a"), "a: |\n  1\nb: 2\n", "2", "block of text"),
        (Placement(Kind.HELM, file="values.yaml", key="a"), "a: &x 1\nb: *x\n", "2", "anchor"),
        (Placement(Kind.HELM, file="values.yaml", key="a"), "a:\nb: 2\n", "2", "is empty"),
        (
            Placement(Kind.HELM, file="values.yaml", key="a"),
            "a: [\n",
            "2",
            r"values\.yaml: is not YAML: line 2",
        ),
        (Placement(Kind.HELM, file="values.yaml", key="a"), "a: 1\n", "1; rm -rf", "is no version"),
        (Placement(Kind.HELM, file="other.yaml", key="a"), "a: 1\n", "2", "No such file"),
        (Placement(Kind.PLAIN, image="nobody"), DEPLOYMENT, "2", "is not in any manifest"),
        (PLAIN, DEPLOYMENT.replace("shop:1.2.3", "shop:1.2.3@sha256:" + "a" * 64), "2", "pinned by its digest"),
        (PLAIN, DEPLOYMENT, "1.0.0+build", "no tag that an image can have"),
    ],
)
def test_what_cannot_be_changed_says_why(
    placement: Placement, files: str, version: str, said: str, tmp_path: Path
) -> None:
    folder = written(tmp_path, values_yaml=files)
    with pytest.raises(EditError, match=said):
        changed(folder, placement, version)
    assert folder.text("values.yaml") == files


def test_two_versions_of_one_image_are_none(tmp_path: Path) -> None:
    folder = written(tmp_path, a_yaml=DEPLOYMENT, b_yaml=DEPLOYMENT.replace("1.2.3", "1.2.4"))
    with pytest.raises(EditError, match=r"several versions here: 1\.2\.3, 1\.2\.4"):
        declared(folder, PLAIN)


def test_changing_to_what_is_declared_changes_nothing(tmp_path: Path) -> None:
    assert changed(written(tmp_path, shop_yaml=DEPLOYMENT), PLAIN, "1.2.3") == {}


# What people write: any text as key, value and comment, in both styles, nested.
_words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufeff"))
_keys = st.text("abcdefghij-_", min_size=1, max_size=8)
_comments = _words.map(lambda text: "  # " + text)
_versions = st.from_regex(r"[0-9a-zA-Z_][0-9a-zA-Z_.+-]{0,12}", fullmatch=True)
_plain_values = st.one_of(
    st.integers().map(str),
    st.booleans().map(str),
    _words.map(lambda text: yaml.dump(text, width=10_000).split("\n")[0]),
)


@st.composite
def _files(draw: st.DrawFn) -> tuple[str, str]:
    """A file with a version at `deep.tag`, its end of lines, indentation and neighbours drawn."""
    indent = " " * draw(st.integers(1, 6))
    old = draw(_versions)
    quoted = draw(st.sampled_from(['"{}"', "'{}'", "!!str {}", "&anchor {}", "{}"])).format(old)
    lines = []
    for key, value in draw(st.dictionaries(_keys, _plain_values, max_size=4)).items():
        lines.append(f"k{key}: {value}{draw(st.one_of(st.just(''), _comments))}")
    lines.append(f"deep:{draw(st.one_of(st.just(''), _comments))}")
    lines.append(f"{indent}tag:{' ' * draw(st.integers(1, 4))}{quoted}{draw(st.one_of(st.just(''), _comments))}")
    lines.append(f"{indent}list: [1,  2 , {{a:   b}}]")
    for key, value in draw(st.dictionaries(_keys, _plain_values, max_size=3)).items():
        lines.append(f"z{key}:   {value}")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join(lines) + draw(st.sampled_from(["", end])), old


@given(_files(), _versions)
@settings(max_examples=50, deadline=None)
def test_only_the_version_changes(given_file: tuple[str, str], version: str) -> None:
    text, _ = given_file
    try:
        found = find(text, "deep.tag")
    except EditError:
        # Not YAML after all; when that is most of them, hypothesis fails the test.
        reject()
    assert found is not None
    made = replaced(text, [(found, version)])
    assert made[: found.start] == text[: found.start]
    assert made.endswith(text[found.end :])
    wanted = values(text)
    wanted[0]["deep"]["tag"] = version
    assert values(made) == wanted
    # Readers of the older YAML see the same text, not a number or a date.
    assert yaml.safe_load(made)["deep"]["tag"] == version
