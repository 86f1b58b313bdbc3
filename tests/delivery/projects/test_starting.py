"""`pilothouse init`: what it finds out, what it writes, and that what it writes works."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pilothouse.cli.program import program
from pilothouse.delivery.environments import read_environments
from pilothouse.delivery.environments.folders import Directory
from pilothouse.delivery.environments.placing import declared
from pilothouse.delivery.owners import read_owners
from pilothouse.delivery.projects import read_project
from pilothouse.delivery.projects.detecting import detect
from pilothouse.delivery.projects.starting import begin
from pilothouse.hazards import all_rules, review_files, settle


def written(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "language", "test", "run"),
    [
        ({"requirements_dot_txt": "flask\npytest\n", "app_dot_py": ""}, "Python", ".venv/bin/python -m pytest -q",
         "python3 app.py"),
        ({"pyproject_dot_toml": "[project]\nname='x'\n", "tests__test_x_dot_py": ""}, "Python",
         "PYTHONPATH=. python3 -m unittest discover -s tests", ""),
        ({"app_dot_py": "", "test_app_dot_py": "def test_app(): ..."}, "Python", ".venv/bin/python -m pytest -q",
         "python3 app.py"),
        ({"shop__x_dot_py": "", "shop____main___dot_py": ""}, "Python", "python3 -m compileall -q -x '\\.venv' .", ""),
        ({"package_dot_json": '{"scripts": {"test": "jest", "start": "node ."}}'}, "JavaScript", "npm test",
         "npm start"),
        ({"package_dot_json": '{"main": "a.js"}'}, "JavaScript", "node --check a.js", ""),
        ({"package_dot_json": "not JSON"}, "JavaScript", "node --check index.js", ""),
        ({"go_dot_mod": "module x\n"}, "Go", "go vet ./...\ngo test ./...", "go run ."),
        ({"Cargo_dot_toml": ""}, "Rust", "cargo test", "cargo run"),
        ({"pom_dot_xml": ""}, "Java", "mvn -B -q verify", ""),
        ({"build_dot_gradle_dot_kts": "", "gradlew": ""}, "Java", "./gradlew check", ""),
        ({"Gemfile": "", "spec__a_dot_rb": ""}, "Ruby", "bundle exec rspec", ""),
        ({"go_dot_mod": "module x\n", "Makefile": "test: build\n\tgo test\n"}, "Go", "make test", "go run ."),
        ({"README": "hello"}, "", "! grep -rnIE '^(<<<<<<<|>>>>>>>) ' --exclude-dir=.git .", ""),
    ],
)  # fmt: skip
def test_files_give_the_language_away(
    files: dict[str, str], language: str, test: str, run: str, tmp_path: Path
) -> None:
    found = detect(written(tmp_path, **files))
    assert (found.language, found.test) == (language, test)
    if run:
        assert found.run == run


def test_what_is_written_can_be_read_by_all_who_read_it(tmp_path: Path) -> None:
    root = written(tmp_path / "Shop", app_dot_py="print()\n")
    begun = begin(root, owners=["@Ann"])
    assert begun.service == "shop"
    assert set(begun.written) == {
        ".tekton/test.yaml", "OWNERS", "deploy/staging/shop.yaml", "deploy/production/shop.yaml", "environments.yaml",
        ".pilothouse.yaml",
    }  # fmt: skip
    assert read_owners((root / "OWNERS").read_text()).everywhere.approvers == {"ann"}
    project = read_project((root / ".pilothouse.yaml").read_text())
    assert (project.service, project.release.after) == ("shop", ("test",))
    assert project.preview is not None
    assert project.preview.command == "python3 app.py"
    found = read_environments((root / "environments.yaml").read_text(), directory=root)
    assert [one.name for one in found.all] == ["staging", "production"]
    for one in found.all:
        assert declared(Directory(root / one.source.folder), one.placement("shop")) == "0.0.0"


def test_no_hazard_is_in_its_manifests(tmp_path: Path) -> None:
    begin(written(tmp_path, go_dot_mod="module x\n"))
    rules = all_rules()
    review = settle(review_files([str(tmp_path / "deploy")], rules), rules)
    assert [str(one) for one in review.problems] == []
    assert [(one.rule.id, one.message) for one in review.findings] == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    root = written(tmp_path, OWNERS="mine\n", app_dot_py="")
    assert "OWNERS" in begin(root).kept
    assert (root / "OWNERS").read_text() == "mine\n"
    again = begin(root)
    assert again.written == ()
    assert len(again.kept) == 6


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    written(tmp_path, app_dot_py="")
    dry = CliRunner().invoke(program("init"), ["init", str(tmp_path), "--service", "shop", "--dry-run"])
    assert dry.exit_code == 0
    assert "would write .tekton/test.yaml" in dry.output
    assert not (tmp_path / "OWNERS").exists()
    done = CliRunner().invoke(program("init"), ["init", str(tmp_path), "--service", "shop", "-o", "json"])
    assert json.loads(done.output)["language"] == "Python"
    assert CliRunner().invoke(program("init"), ["init", str(tmp_path / "nowhere")]).exit_code == 3


@pytest.mark.skipif(not shutil.which("git"), reason="no git here")
def test_its_pipeline_runs_here(tmp_path: Path) -> None:
    root = written(
        tmp_path / "shop",
        shop_dot_py="def total(a, b):\n    return a + b\n",
        tests__test_shop_dot_py="import unittest\nimport shop\n\nclass T(unittest.TestCase):\n"
        "    def test_total(self):\n        self.assertEqual(shop.total(1, 2), 3)\n",
    )
    begin(root)
    assert yaml.safe_load((root / ".tekton" / "test.yaml").read_text())["kind"] == "PipelineRun"
    assert _run(root, tmp_path) == 0
    # Another length too: Python takes compiled code for current whose source has the same second and size.
    (root / "shop.py").write_text("def total(first, second):\n    return first - second\n")
    assert _run(root, tmp_path) == 1


def _run(root: Path, data: Path) -> int:
    arguments = [".tekton/test.yaml", "-w", "source=.", "--data", str(data / "data")]
    with contextlib.chdir(root):
        done = CliRunner().invoke(program("run"), ["run", *arguments])
    print(done.output)
    return done.exit_code
