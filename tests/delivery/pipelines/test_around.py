"""What Tekton itself does not have: lint, provenance, flaky tasks, plans; and the resolvers."""

from __future__ import annotations

import asyncio
import base64
import functools
import http.server
import io
import json
import subprocess
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest

from pilothouse.delivery.pipelines import provenance as slsa
from pilothouse.delivery.pipelines import read_text
from pilothouse.delivery.pipelines.asking import Ask
from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.flakiness import flaky
from pilothouse.delivery.pipelines.linting import lint
from pilothouse.delivery.pipelines.planning import plan
from pilothouse.delivery.pipelines.resolvers import standard
from tests.delivery.pipelines.running import pipeline, run_yaml, task
from tests.delivery.pipelines.test_triggers import OBJECTS

TASK = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec: {params: [{name: x, default: d}], results: [{name: r}], steps: [{image: bash, script: 'echo -n from-$(params.x) > $(results.r.path)'}]}\n"


def rules(text: str) -> set[str]:
    return {one.rule for one in lint(read_text(text))}


@pytest.mark.parametrize(
    "text",
    [
        task("- {image: 'bash:5', script: 'echo $(params.pr-title)'}", "params: [{name: pr-title}]"),
        task("- {image: 'bash:5', command: [bash, -c], args: ['echo $(params.branch)']}", "params: [{name: branch}]"),
        pipeline(
            "- {name: a, params: [{name: m, value: 'x $(params.commit-message)'}], taskSpec: {params: [{name: m}], steps: [{image: 'a:1', script: 'echo $(params.m)'}]}}",
            "params: [{name: commit-message}]",
        ),
        OBJECTS.replace("$(tt.params.short)-", "$(tt.params.first)-"),
    ],
)
def test_texts_of_strangers_in_scripts_are_found(text: str) -> None:
    found = [one for one in lint(read_text(text)) if one.rule == "script-injection"]
    assert found
    assert all(one.severity == "error" and "becomes part of the script" in one.message for one in found)


@pytest.mark.parametrize(
    "text",
    [
        task(
            "- {image: 'bash:5', env: [{name: T, value: $(params.pr-title)}], script: 'echo \"$T\"'}",
            "params: [{name: pr-title}]",
        ),
        task(
            "- {image: 'bash:5', script: 'echo $(params.commit-sha) $(params.version)'}",
            "params: [{name: commit-sha}, {name: version}]",
        ),
        task("- {image: 'bash:5', command: [echo], args: ['$(params.pr-title)']}", "params: [{name: pr-title}]"),
        OBJECTS.replace("$(tt.params.short)-", ""),
    ],
)
def test_what_is_handed_over_safely_is_not(text: str) -> None:
    assert "script-injection" not in rules(text)


def test_what_a_cluster_would_refuse() -> None:
    text = (
        task("- {image: ubuntu, script: 'cd /home/ada/src; [[ -f x ]]; docker build .; curl localhost:8080'}")
        + "---\n"
        + pipeline("- {name: a, pipelineRef: {name: p}, when: [{cel: 'true'}]}")
    )
    assert {
        "home-directory",
        "floating-image",
        "bashism",
        "container-daemon",
        "local-port",
        "alpha-feature",
        "fixed-run-name",
    } <= rules(text)


def test_provenance_is_signed_and_holds(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            "- {image: bash, script: 'printf reg/app > $(results.IMAGE_URL.path); printf sha256:aa > $(results.IMAGE_DIGEST.path)'}",
            "results: [{name: IMAGE_URL}, {name: IMAGE_DIGEST}]",
        ),
        tmp_path,
    )
    body = happened.run.to_object()
    key = slsa.load_or_make(tmp_path / "ci.key")
    assert (tmp_path / "ci.key").stat().st_mode & 0o077 == 0
    envelope = slsa.sign(slsa.statement(body, [body]), key)
    public = slsa.load_public(tmp_path / "ci.pub")
    found = slsa.verify(envelope, public)
    assert found["subject"] == [{"name": "reg/app", "digest": {"sha256": "aa"}}]
    assert slsa.covers(found, "sha256:aa")
    assert not slsa.covers(found, "sha256:bb")
    assert {"uri": "host://bash", "digest": {}, "name": "image"} in found["predicate"]["buildDefinition"][
        "resolvedDependencies"
    ]
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["subject"][0]["digest"]["sha256"] = "bb"
    forged = {**envelope, "payload": base64.b64encode(json.dumps(payload).encode()).decode()}
    for bad in (
        forged,
        {**envelope, "payloadType": "text/plain"},
        {},
        {"payload": "!", "signatures": [], "payloadType": "x"},
    ):
        with pytest.raises(slsa.ProvenanceError):
            slsa.verify(bad, public)
    other = slsa.load_or_make(tmp_path / "other.key").public_key()
    with pytest.raises(slsa.ProvenanceError, match="no signature of this key"):
        slsa.verify(envelope, other)


def test_a_failed_run_has_no_provenance(tmp_path: Path) -> None:
    body = run_yaml(task("- {image: bash, script: exit 1}"), tmp_path).run.to_object()
    with pytest.raises(slsa.ProvenanceError, match="only a run that succeeded"):
        slsa.statement(body, [body])


def row(name: str, status: str, attempts: int = 1, inputs: str = "") -> dict[str, Any]:
    return {"pipeline_task": name, "status": status, "attempts": attempts, "inputs": inputs}


def test_flaky_tasks_are_told_from_broken_and_mended_ones() -> None:
    history = (
        [row("steady", "True") for _ in range(20)]
        + [row("mended", "True") for _ in range(10)]
        + [row("mended", "False") for _ in range(10)]
    )
    history += [row("retried", "True", attempts=2 - index % 2) for index in range(10)]
    history += [row("flips", "True" if index % 2 else "False") for index in range(10)]
    history += [row("same", "True" if index else "False", inputs="h") for index in range(6)]
    assert {one.task: one.certain > 0 for one in flaky(history)} == {"retried": True, "flips": False, "same": True}


def test_a_plan_is_a_graph(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        TASK
        + "---\n"
        + pipeline(
            "- {name: a, taskRef: {name: t}}\n- {name: b, runAfter: [a], matrix: {params: [{name: x, value: [p, q, r]}]}, taskRef: {name: t}}\n- {name: c, when: [{input: '$(tasks.a.results.r)', operator: in, values: [x]}], taskRef: {name: t}}\n- {name: d, when: [{input: '$(params.go)', operator: in, values: [y]}], taskRef: {name: t}}",
            "params: [{name: go, default: n}]\nfinally: [{name: f, taskRef: {name: t}}]",
        )
    )
    [found] = plan(Ask(files=[path]))
    assert found.waves == [["a", "d"], ["b", "c"], ["f"]]
    shown = found.drawn()
    assert "b (t)  x3  after a" in shown
    assert "c (t)  after a  [when: depends on results]" in shown
    assert "[when: skipped]" in shown
    assert not (tmp_path / "logs").exists()


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


@pytest.fixture
def served(tmp_path: Path) -> Any:
    """A directory over HTTP, and its address."""
    directory = tmp_path / "served"
    directory.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(directory)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield directory, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def resolve(resolver: str, /, **params: str) -> Any:
    return asyncio.run(standard()[resolver]("Task", params))


def test_http(served: Any) -> None:
    directory, address = served
    (directory / "t.yaml").write_text(TASK)
    document, source = resolve("http", url=f"{address}/t.yaml")
    assert document.name == "t"
    good = "sha256:" + source["digest"]["sha256"]
    assert resolve("http", url=f"{address}/t.yaml", digest=good)[0].name == "t"
    for params, words in (
        ({"digest": "sha256:00"}, "its digest is"),
        ({"url": f"{address}/none"}, "answered 404"),
        ({"url": "file:///etc/passwd"}, "must begin with"),
    ):
        with pytest.raises(ResolveError, match=words):
            resolve("http", **{"url": f"{address}/t.yaml", **params})


def test_git_and_a_run_of_what_it_finds(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    for command in (
        ["init", "-q", "-b", "main", str(repo)],
        ["-C", str(repo), "config", "uploadpack.allowAnySHA1InWant", "true"],
    ):
        subprocess.run(["git", *command], check=True)
    (repo / "t.yaml").write_text(TASK)
    subprocess.run(["git", "-C", str(repo), "add", "."], check=True)
    subprocess.run(
        ["git", "-C", str(repo), "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"], check=True
    )
    text = pipeline(
        f"- {{name: a, taskRef: {{resolver: git, params: [{{name: url, value: 'file://{repo}'}}, {{name: revision, value: main}}, {{name: pathInRepo, value: t.yaml}}]}}, params: [{{name: x, value: git}}]}}",
        "results: [{name: out, value: $(tasks.a.results.r)}]",
    )
    happened = run_yaml(text, tmp_path / "data", resolvers=standard())
    assert happened.results == {"out": "from-git"}, happened.message
    assert len(happened.task("a").status["provenance"]["refSource"]["digest"]["sha1"]) == 40
    for url in ("--upload-pack=touch /tmp/x", "ext::sh -c id"):
        with pytest.raises(ResolveError, match="not an address"):
            resolve("git", url=url, pathInRepo="t.yaml")
    with pytest.raises(ResolveError):
        resolve("git", url=f"file://{repo}", revision="main", pathInRepo="none.yaml")


def test_hub(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, address = served
    monkeypatch.setenv("PILOTHOUSE_ARTIFACT_HUB", address)
    package = directory / "api/v1/packages/tekton-task/tekton-catalog-tasks"
    (package / "t").mkdir(parents=True)
    (package / "t" / "0.6.0").write_text(json.dumps({"data": {"manifestRaw": TASK}}))
    assert resolve("hub", name="t", version="0.6")[0].name == "t"
    assert resolve("hub", name="t", version="0.6.0")[0].name == "t"
    from pilothouse.delivery.pipelines.resolvers.hub import _best

    versions = [{"version": one} for one in ("0.4.0", "0.10.0", "0.6.1")]
    assert _best(">= 0.5.0", versions) == "0.10.0"
    assert _best(">=0.5.0, <0.10.0", versions) == "0.6.1"
    with pytest.raises(ResolveError, match="no version fits"):
        _best("> 1.0.0", versions)


def test_bundles_in_a_directory(tmp_path: Path) -> None:
    import hashlib

    root = tmp_path / "bundle"
    (root / "blobs/sha256").mkdir(parents=True)

    def blob(data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        (root / "blobs/sha256" / digest).write_bytes(data)
        return f"sha256:{digest}"

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("t")
        info.size = len(TASK.encode())
        archive.addfile(info, io.BytesIO(TASK.encode()))
    notes = {"dev.tekton.image.name": "t", "dev.tekton.image.kind": "task", "dev.tekton.image.apiVersion": "v1"}
    manifest = blob(json.dumps({"layers": [{"digest": blob(buffer.getvalue()), "annotations": notes}]}).encode())
    (root / "index.json").write_text(json.dumps({"manifests": [{"digest": manifest}]}))
    document, source = resolve("bundles", bundle=f"oci:{root}", name="t", kind="task")
    assert document.name == "t"
    assert source["digest"]["sha256"] == manifest.removeprefix("sha256:")
    with pytest.raises(ResolveError, match="no task 'other'"):
        resolve("bundles", bundle=f"oci:{root}", name="other", kind="task")


def test_custom_tasks(tmp_path: Path) -> None:
    from pilothouse.delivery.pipelines.custom import HANDLERS

    text = pipeline(
        "- {name: w, taskRef: {apiVersion: pilothouse.dev/v1, kind: Wait}, params: [{name: duration, value: 50ms}]}\n- {name: u, runAfter: [w], onError: continue, taskRef: {apiVersion: other/v1, kind: Thing}}"
    )
    happened = run_yaml(text, tmp_path, custom=HANDLERS)
    assert happened.task("w").condition.message == "waited 50ms"
    assert "nobody here runs Thing (other/v1)" in happened.task("u").condition.message
