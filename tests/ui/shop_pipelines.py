"""The pipelines of the shop's server: one that waits for a file, so that a test can look at it as it runs."""

from __future__ import annotations

from pathlib import Path

SHIP = """
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: ship}
spec:
  description: Tests, builds and ships the checkout.
  params:
    - {name: version, description: The version that is built}
    - {name: gate, description: A file that the build waits for, default: /dev/null}
  tasks:
    - name: fetch
      taskSpec:
        results: [{name: commit}]
        steps:
          - name: clone
            image: bash
            script: |
              echo "cloning checkout"
              printf 4f2a91c > $(results.commit.path)
    - name: unit
      runAfter: [fetch]
      taskSpec:
        steps:
          - name: test
            image: bash
            script: |
              echo "waiting for $(params.gate)"
              while [ ! -e "$(params.gate)" ]; do sleep 0.1; done
              echo "412 tests passed"
    - name: lint
      runAfter: [fetch]
      taskSpec: {steps: [{name: check, image: bash, script: "echo no findings"}]}
    - name: image
      runAfter: [unit, lint]
      taskSpec:
        results: [{name: digest}]
        steps:
          - name: build
            image: bash
            script: |
              echo "building $(params.version) of $(tasks.fetch.results.commit)"
              printf sha256:9f86d08 > $(results.digest.path)
    - name: scan
      runAfter: [image]
      taskSpec:
        steps:
          - {name: look, image: bash, script: "echo '<img src=x onerror=alert(1)> has a known hole'; exit 3"}
  finally:
    - name: tell
      taskSpec: {steps: [{name: say, image: bash, script: "echo told everyone"}]}
"""


def write_pipelines(directory: Path) -> Path:
    """The directory, with the pipelines in it."""
    directory.mkdir()
    (directory / "ship.yaml").write_text(SHIP)
    return directory
