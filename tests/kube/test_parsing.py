"""Any text in: objects and problems with their lines, never an exception."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.kube import parse, read
from pilothouse.kube.parsing import load
from pilothouse.kube.quantities import quantity, share
from pilothouse.kube.selecting import matches
from tests.thorough import part_of

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_documents_lists_and_places() -> None:
    text = "# head\nkind: A\n---\n---\nkind: List\nitems:\n  - kind: B\n    metadata:\n      name: b\n...\n"
    parsed = parse(text, "f.yaml")
    assert [one.kind for one in parsed.objects] == ["A", "B"]
    assert str(parsed.objects[0].place(("kind",))) == "f.yaml:2:1"
    assert str(parsed.objects[1].place(("metadata", "name"))) == "f.yaml:9:7"
    assert str(parsed.objects[1].place(("spec", "x"))) == "f.yaml:7:5"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\n---\nb: [1\n---\nc: 1\n", 4, ""),
        ("kind: A\nreplicas: {{ .Values.n }}\n", 2, "unrendered template"),
        ("kind: A\n\tb: 1\n", 2, "tab"),
        ("kind: A\nkind: B\n", 2, "twice"),
        ("- 1\n- 2\n", 1, "a list"),
        ("just words\n", 1, "a text"),
        (LAUGHS, 7, "unfold"),
        ("a: &x [*x]\n", 1, "alias"),
        ("[" * 2_000 + "\n", 1, ""),
        ("a: *nothing\n", 1, "alias"),
    ],
)
def test_a_problem_has_its_line_and_costs_nothing_else(text: str, line: int, said: str) -> None:
    parsed = parse(f"kind: Before\n---\n{text}---\nkind: After\n", "f.yaml")
    assert {"Before", "After"} <= {one.kind for one in parsed.objects}
    (problem,) = parsed.problems
    assert said in problem.message
    assert abs(problem.line - (line + 2)) <= 1


@pytest.mark.parametrize(
    ("text", "value"),
    [("0644", 420), ("yes", True), ("y", "y"), ("1:30", "1:30"), ("1e3", 1000.0), ("~", None), ("'1'", "1"),
     ("2024-01-01", "2024-01-01"), ("!!str 5", "5"), ("!Custom x", "x"), ("1.5", 1.5), ("-3", -3), ("0x10", 16)],
)  # fmt: skip
def test_scalars_are_read_as_kubernetes_reads_them(text: str, value: object) -> None:
    assert load(f"a: {text}\n") == {"a": value}


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4),
))  # fmt: skip
def test_what_is_dumped_is_read_back(value: object) -> None:
    assert load(yaml.safe_dump({"a": value})) == {"a": value}


def test_a_document_larger_than_any_object_is_one_problem() -> None:
    parsed = parse("kind: A\n---\na: '" + "x" * 33_000_000 + "'\n---\nkind: B\n")
    assert [one.kind for one in parsed.objects] == ["A", "B"]
    (problem,) = parsed.problems
    assert "31 MiB" in problem.message
    assert problem.line == 2


@settings(max_examples=part_of(60), deadline=None)
@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    parse(text)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\x00\x80binary")
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "good.yaml").write_text("kind: A\n")
    (tmp_path / "windows.yaml").write_text("kind: B\r\nspec:\r\n  a: 1\r\n", encoding="utf-16")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.yaml").write_text("kind: Hidden\n")
    found = read([tmp_path, tmp_path / "missing"])
    assert [one.kind for one in found.objects] == ["A", "B"]
    assert sorted(problem.message for problem in found.problems) == [
        "no such file or directory", "not text: neither UTF-8 nor UTF-16",
    ]  # fmt: skip


def test_a_kustomization_is_built_by_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil
    import sys

    bin_directory = str(Path(sys.executable).parent)
    if not shutil.which("kubectl", path=bin_directory):
        pytest.skip("kubectl is not installed")
    monkeypatch.setenv("PATH", bin_directory)
    (tmp_path / "kustomization.yaml").write_text("namePrefix: test-\nresources: [map.yaml]\n")
    (tmp_path / "map.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n")
    found = read([tmp_path])
    assert [one.name for one in found.objects] == ["test-m"]
    assert not found.problems


def test_a_chart_without_helm_is_one_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("name: c\nversion: 0.1.0\napiVersion: v2\n")
    (chart / "templates" / "x.yaml").write_text("kind: {{ .Values.x }}\n")
    (problem,) = read([chart]).problems
    assert "helm" in problem.message


def test_a_chart_is_rendered_by_helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a `helm` that takes the real one's arguments, since the real one is not to be had everywhere."""
    helm = tmp_path / "helm"
    helm.write_text('#!/bin/sh\n[ "$1 $2" = "template release" ] || exit 9\nprintf "kind: Rendered\\n"\necho "# $@"\n')
    helm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    chart = tmp_path / "chart"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("name: c\n")
    found = read([chart], values=[tmp_path / "v.yaml"], kubernetes="1.31")
    (one,) = found.objects
    assert one.kind == "Rendered"
    assert "--values" in one.text
    assert "--kube-version 1.31" in one.text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100m", 0.1),
        ("1Gi", 2**30),
        (2, 2.0),
        ("1.5", 1.5),
        ("1e3", 1000),
        ("5 apples", None),
        (None, None),
        (True, None),
    ],
)
def test_quantities(text: object, value: float | None) -> None:
    assert quantity(text) == value


def test_shares() -> None:
    assert (share("25%", 10), share("25%", 10, round_up=True), share(3, 10), share("x", 10)) == (2, 3, 3, None)


@pytest.mark.parametrize(
    ("selector", "matched"),
    [
        ({}, True), (None, False), ({"matchLabels": {"a": "1"}}, True), ({"matchLabels": {"a": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, True),
        ({"matchExpressions": [{"key": "b", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, False),
    ],
)  # fmt: skip
def test_selectors(selector: object, matched: bool) -> None:
    assert matches(selector, {"a": "1"}) is matched
