"""TaskRuns: steps, scripts, results, errors, times, sidecars, volumes."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from pilothouse.delivery.pipelines import ProcessLauncher
from pilothouse.delivery.pipelines.terminal import Terminal
from tests.delivery.pipelines.running import run_yaml, task


def test_steps_run_in_order_and_see_each_others_files(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            "- {name: a, image: ubuntu, script: 'echo one > /workspace/file'}\n- {name: b, image: ubuntu, script: 'cat /workspace/file'}"
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded"
    assert happened.message == "All Steps have completed executing"
    assert happened.output(step="b") == "one\n"


def test_script_gets_args_and_the_interpreter_it_names(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            """
- image: python
  args: [one, "two three"]
  script: |
    #!/usr/bin/env python3
    import sys
    print(sys.argv[1:])
- image: bash
  script: |
    #!/usr/bin/env -S bash -eu
    echo "${BASH_VERSION:0:1}" "$0"
"""
        ),
        tmp_path,
    )
    assert "['one', 'two three']" in happened.output()


def test_sh_of_busybox_images_knows_double_brackets(tmp_path: Path) -> None:
    happened = run_yaml(
        task("- {image: 'docker.io/library/bash:5.1@sha256:abc', script: 'if [[ a == a ]]; then echo same; fi'}"),
        tmp_path,
    )
    assert happened.output() == "same\n"


def test_all_result_types(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            r"""
- image: bash
  script: |
    printf 'plain text\n' > $(results.text.path)
    printf '["a","b"]' > $(results.list.path)
    printf '{"url":"u","digest":"d"}' > $(results["map"].path)
""",
            """
results:
- {name: text}
- {name: list, type: array}
- {name: map, type: object, properties: {url: {type: string}, digest: {type: string}}}
- {name: unwritten}
""",
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded"
    assert happened.results == {"text": "plain text\n", "list": ["a", "b"], "map": {"url": "u", "digest": "d"}}
    assert [one["type"] for one in happened.run.results] == ["string", "array", "object"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("not json", "expected to be"), ('{"a":"b"}', "expected to be")],
)
def test_a_result_of_another_type_fails_the_task(tmp_path: Path, content: str, message: str) -> None:
    happened = run_yaml(
        task(
            f"- {{image: bash, script: \"printf '%s' '{content.replace(chr(34), chr(92) + chr(34))}' > $(results.r.path)\"}}",
            "results: [{name: r, type: array}]",
        ),
        tmp_path,
    )
    assert happened.reason == "TaskRunValidationFailed"
    assert message in happened.message


def test_failing_step_ends_the_task_and_skips_the_rest(tmp_path: Path) -> None:
    happened = run_yaml(
        task("- {name: bad, image: bash, script: exit 3}\n- {name: never, image: bash, script: echo no}"), tmp_path
    )
    assert (happened.reason, happened.message) == ("Failed", '"step-bad" exited with code 3')
    bad, never = happened.run.status["steps"]
    assert (bad["terminated"]["exitCode"], bad["terminationReason"]) == (3, "Error")
    assert never["terminationReason"] == "Skipped"
    assert happened.output() == ""


def test_on_error_continue_keeps_the_exit_code(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            "- {name: bad, image: bash, onError: continue, script: exit 5}\n- {image: bash, script: 'cat $(steps.step-bad.exitCode.path)'}"
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded"
    assert happened.output() == "5"
    assert happened.run.status["steps"][0]["terminationReason"] == "Continued"


def test_step_results_and_when(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            """
- name: make
  image: bash
  results: [{name: word}, {name: list, type: array}]
  script: |
    printf yes > $(step.results.word.path)
    printf '["x","y"]' > $(step.results.list.path)
- name: taken
  image: bash
  when: [{input: "$(steps.make.results.word)", operator: in, values: ["yes"]}]
  command: [echo]
  args: ["$(steps.make.results.list[*])", "$(steps.make.results.list[1])"]
- name: left
  image: bash
  when: [{cel: "'$(steps.make.results.word)' == 'no'"}]
  script: echo never
""",
            "results: [{name: word, value: $(steps.make.results.word)}]",
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded", happened.message
    assert happened.output() == "x y y\n"
    assert happened.run.status["steps"][2]["terminationReason"] == "Skipped"
    assert happened.results == {"word": "yes"}


def test_step_actions(tmp_path: Path) -> None:
    action = """
apiVersion: tekton.dev/v1beta1
kind: StepAction
metadata: {name: greet}
spec:
  image: bash
  params: [{name: who, default: world}, {name: words, type: array, default: [a]}]
  results: [{name: said}]
  env: [{name: WHO, value: "$(params.who)"}]
  args: ["$(params.words[*])"]
  script: |
    echo "hello $WHO $*"
    printf done > $(step.results.said.path)
---
"""
    happened = run_yaml(
        action
        + task(
            """
- {name: one, ref: {name: greet}, params: [{name: who, value: "$(params.person)"}, {name: words, value: [x, "y z"]}]}
- {name: two, ref: {name: greet}, params: [{name: who, value: "$(steps.one.results.said)"}]}
""",
            "params: [{name: person, default: Ada}]",
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded", happened.message
    assert happened.output() == "hello Ada x y z\nhello done a\n"


def test_step_template_merges_env_by_name(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            "- {env: [{name: A, value: own}], script: 'echo $A $B $C'}",
            "stepTemplate: {image: bash, env: [{name: A, value: t}, {name: B, value: t}, {name: C, value: $(B)-$(NOT)}]}",
        ),
        tmp_path,
    )
    assert happened.output() == "own t t-$(NOT)\n"


def test_timeout_of_a_step_that_ignores_sigterm(tmp_path: Path) -> None:
    happened = run_yaml(
        task("- {name: deaf, image: bash, timeout: 200ms, script: \"trap '' TERM; while :; do sleep 0.05; done\"}"),
        tmp_path,
        grace=0.2,
    )
    assert happened.reason == "Failed"
    assert "exceeded the specified timeout" in happened.message
    assert happened.run.status["steps"][0]["terminationReason"] == "TimeoutExceeded"


def test_timeout_of_the_task(tmp_path: Path) -> None:
    happened = run_yaml(task("- {image: bash, script: sleep 30}", run="timeout: 300ms"), tmp_path)
    assert happened.reason == "TaskRunTimeout"
    assert happened.message == 'TaskRun "run" failed to finish within "300ms"'


def test_retries_keep_the_earlier_attempts(tmp_path: Path) -> None:
    counter = tmp_path / "count"
    happened = run_yaml(
        task(
            f"- {{image: bash, script: 'echo $(context.task.retry-count); echo x >> {counter}; [ $(wc -l < {counter}) = 3 ]'}}",
            run="retries: 4",
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded"
    assert len(happened.run.status["retriesStatus"]) == 2
    assert happened.output() == "0\n1\n2\n"


def test_sidecar_is_ready_before_the_steps_and_ended_after(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            "- {image: bash, script: cat /shared/ready, volumeMounts: [{name: shared, mountPath: /shared}]}",
            """
volumes: [{name: shared, emptyDir: {}}]
sidecars:
- name: server
  image: bash
  script: "sleep 0.3; echo up > /shared/ready; sleep 60"
  volumeMounts: [{name: shared, mountPath: /shared}]
  readinessProbe: {periodSeconds: 1, exec: {command: [cat, /shared/ready]}}
""",
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded", happened.message
    assert happened.output() == "up\n"
    assert happened.run.status["sidecars"][0]["name"] == "server"


OBJECTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {message: hello world, OTHER: thing}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {user: admin-name}
data: {token: aHVudGVyMi1odW50ZXIy}
---
"""


def test_config_maps_secrets_and_masking(tmp_path: Path) -> None:
    happened = run_yaml(
        OBJECTS
        + task(
            """
- image: bash
  envFrom: [{configMapRef: {name: settings}}]
  env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}]
  volumeMounts: [{name: s, mountPath: /etc/keys}]
  script: |
    echo $OTHER $TOKEN
    cat /etc/keys/user; echo
    printf %s "$TOKEN" | base64
    cat $(workspaces.conf.path)/m.txt
""",
            "workspaces: [{name: conf, mountPath: /my/conf}]\nvolumes: [{name: s, secret: {secretName: keys}}]",
            "workspaces: [{name: conf, configMap: {name: settings, items: [{key: message, path: m.txt}]}}]",
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded", happened.message
    assert happened.output() == "thing ***\n***\n***\nhello world"
    logs = b"".join(path.read_bytes() for path in (tmp_path / "logs").rglob("*.log"))
    assert b"hunter2" not in logs
    assert logs.decode() == happened.output()


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    happened = run_yaml(
        task("- {image: bash, env: [{name: A, valueFrom: {secretKeyRef: {name: none, key: k}}}], script: env}"),
        tmp_path,
    )
    assert happened.reason == "CreateContainerConfigError"
    assert "key 'k' in Secret 'none' is not here" in happened.message


def test_workspaces(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            """
- image: ubuntu
  script: |
    echo $(workspaces.a.volume) > $(workspaces.a.path)/foo
    cat $(workspaces.b.path)/sub/foo
    echo "$(workspaces.c.bound) [$(workspaces.c.path)] $(workspaces.b.claim)"
    touch $(workspaces.r.path)/x || echo read only
""",
            "workspaces: [{name: a}, {name: b, mountPath: /foo/bar/baz}, {name: c, optional: true}, {name: r, readOnly: true}]",
            """
workspaces:
- {name: a, persistentVolumeClaim: {claimName: mine}, subPath: sub}
- {name: b, persistentVolumeClaim: {claimName: mine}}
- {name: r, emptyDir: {}}
""",
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded", happened.message
    assert "ws-a\nfalse [] mine\n" in happened.output()
    assert "read only" in happened.output()
    assert (tmp_path / "claims" / "mine" / "sub" / "foo").read_text() == "ws-a\n"


def test_isolated_workspace_is_not_seen_by_other_steps(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            """
- {image: alpine, workspaces: [{name: s, mountPath: /here}], script: "echo x > $(workspaces.s.path)/f; ls /here"}
- {image: alpine, script: "ls $(workspaces.s.path)/f 2>/dev/null || echo hidden"}
""",
            "workspaces: [{name: s}]",
            "workspaces: [{name: s, emptyDir: {}}]",
        ),
        tmp_path,
    )
    assert "hidden" in happened.output()


def test_internal_directories_of_other_steps_are_read_only(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            "- {image: ubuntu, script: exit 0}\n- {image: ubuntu, script: 'set +e; echo x > /tekton/run/0/out && exit 1; echo x > /tekton/steps/0/exitCode && exit 1; exit 0'}"
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded", happened.output()


def test_working_directory_is_made(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            "- {image: ubuntu, workingDir: /a/path/too/far, script: pwd}\n- {image: ubuntu, workingDir: /workspace, script: pwd}"
        ),
        tmp_path,
    )
    assert happened.output() == "/a/path/too/far\n/workspace\n"


def test_stdout_and_stderr_go_where_the_yaml_says(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            "- {image: bash, args: [-c, 'echo out; echo err >&2'], stdoutConfig: {path: $(results.o.path)}, stderrConfig: {path: $(results.e.path)}}",
            "results: [{name: o}, {name: e}]",
        ),
        tmp_path,
    )
    assert happened.results == {"o": "out\n", "e": "err\n"}


def test_image_that_cannot_be_had_says_what_to_do(tmp_path: Path) -> None:
    happened = run_yaml(task("- {name: build, image: gcr.io/x/kaniko, args: [--x]}"), tmp_path)
    assert happened.reason == "TaskRunImagePullFailed"
    assert "--image kaniko=" in happened.message


def test_missing_program_is_named(tmp_path: Path) -> None:
    happened = run_yaml(task("- {name: s, image: ubuntu, command: [no-such-program]}"), tmp_path)
    assert happened.reason == "Failed"
    assert "no-such-program: not found on this machine" in happened.message + happened.output()


def test_artifacts(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            """
- name: make
  image: bash
  script: |
    cat > $(step.artifacts.path) <<EOF
    {"outputs":[{"name":"image","values":[{"uri":"pkg:x","digest":{"sha256":"abc"}}]}]}
    EOF
- name: use
  image: bash
  script: echo '$(steps.make.outputs.image)'
"""
        ),
        tmp_path,
    )
    assert '"uri": "pkg:x"' in happened.output()
    assert happened.run.status["steps"][0]["outputs"][0]["name"] == "image"


def test_much_output_is_bounded(tmp_path: Path) -> None:
    most = 1_000_000_000 if os.environ.get("PILOTHOUSE_THOROUGH") else 100_000_000
    happened = run_yaml(task(f"- {{image: bash, script: 'head -c {most} /dev/zero | tr \"\\0\" x'}}"), tmp_path)
    assert happened.reason == "Succeeded"
    size = sum(path.stat().st_size for path in (tmp_path / "logs").rglob("*.log"))
    assert 60_000_000 < size < 70_000_000


def test_binary_output_is_kept_as_it_is_and_shown_harmlessly(tmp_path: Path) -> None:
    script = "#!/usr/bin/env python3\\nimport sys\\nsys.stdout.buffer.write(bytes(range(256)) * 3)"
    shown = io.StringIO()
    terminal = Terminal(shown, colours=False)
    happened = run_yaml(task(f'- {{image: python, script: "{script}"}}'), tmp_path)
    assert happened.reason == "Succeeded"
    [log] = (tmp_path / "logs").rglob("*.log")
    assert log.read_bytes() == bytes(range(256)) * 3
    for event in happened.events:
        terminal(event)
    assert "\ufffd" in shown.getvalue()
    assert not {"\x00", "\x07", "\x08"} & set(shown.getvalue())


def test_parameters(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            """
- {image: bash, command: [echo], args: ["$(params.list[*])", "$(params['dotted.name'])", "$(params.list[1])", "$(params.map.a)", "$(params.number)"]}
- {image: bash, script: "echo $(date +%Y | wc -c)"}
""",
            """
params:
- {name: list, type: array}
- {name: dotted.name, default: dot}
- {name: map, type: object, properties: {a: {}, b: {}}, default: {a: x, b: y}}
- {name: number, default: "1"}
""",
            "params: [{name: list, value: [a, 'b c']}, {name: map, value: {a: given}}, {name: number, value: 3}]",
        ),
        tmp_path,
    )
    assert happened.output() == "a b c dot b c given 3\n5\n"


@pytest.mark.parametrize(
    ("declared", "given", "words"),
    [
        ("{name: p}", "", "missing values for these params which have no default values: [p]"),
        ("{name: p, type: array}", "{name: p, value: x}", "mismatching types"),
        ("{name: p, type: object, properties: {a: {}, b: {}}}", "{name: p, value: {a: x}}", "missing keys"),
        ("{name: p, enum: [a, b]}", "{name: p, value: c}", "not in the enum list"),
    ],
)
def test_parameters_that_do_not_fit(tmp_path: Path, declared: str, given: str, words: str) -> None:
    happened = run_yaml(
        task("- {image: bash, script: exit 0}", f"params: [{declared}]", f"params: [{given}]"), tmp_path
    )
    assert not happened.run.condition.succeeded
    assert words in happened.message


def test_without_namespaces_paths_are_rewritten_and_said_so(tmp_path: Path) -> None:
    happened = run_yaml(
        task(
            """
- {image: ubuntu, workingDir: /workspace/made, script: 'echo one > /workspace/file; touch $(workspaces.w.path)/x; ls /foo/bar; printf hi > $(results.r.path)'}
- {image: ubuntu, command: [cat], args: [/workspace/file]}
- {image: ubuntu, env: [{name: F, value: /workspace/file}], script: 'cat $F; echo /workspace/files /my/workspace/file'}
""",
            "results: [{name: r}]\nworkspaces: [{name: w, mountPath: /foo/bar}]",
            "workspaces: [{name: w, emptyDir: {}}]",
        ),
        tmp_path,
        launcher=ProcessLauncher(namespaces=False),
    )
    assert happened.reason == "Succeeded", happened.output()
    assert happened.output().startswith("x\none\none\n")
    assert "/my/workspace/file" in happened.output(), "a path that only ends like one of ours was changed"
    assert happened.results == {"r": "hi"}
    assert "paths were rewritten" in happened.run.annotations["pilothouse.dev/notes"]


def test_memory_limits_end_a_step_where_they_can_be_set(tmp_path: Path) -> None:
    from pilothouse.delivery.pipelines.executors.limiting import _base

    if _base("memory") is None:
        pytest.skip("no control group for memory can be made here")
    happened = run_yaml(
        task(
            "- {name: big, image: python, computeResources: {limits: {memory: 40Mi}}, script: \"#!/usr/bin/env python3\\nx = b'x' * 400_000_000\"}"
        ),
        tmp_path,
    )
    assert happened.reason == "Failed"
    assert happened.run.status["steps"][0]["terminated"]["reason"] == "OOMKilled"
