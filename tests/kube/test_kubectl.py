"""The stand-in API server with the real kubectl, so that what our client is tested against is not our own idea."""

from __future__ import annotations

import json

from tests.kube.apiserver import ApiServer

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "example.com/c:1"}]}
"""
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Foo, plural: foos}
  versions:
    - {name: v1, served: true, storage: true, subresources: {status: {}}, schema: {openAPIV3Schema: {type: object}}}
"""


def test_apply_changes_only_what_changed(api: ApiServer) -> None:
    assert "created" in api.kubectl("apply", "-f", "-", stdin=DEPLOYMENT).stdout
    assert "unchanged" in api.kubectl("apply", "-f", "-", stdin=DEPLOYMENT).stdout
    changed = api.kubectl("apply", "-f", "-", stdin=DEPLOYMENT.replace("c:1", "c:2"))
    assert "configured" in changed.stdout, changed.stderr
    stored = json.loads(api.kubectl("get", "deployment", "web", "-o", "json").stdout)
    assert stored["spec"]["template"]["spec"]["containers"] == [{"name": "c", "image": "example.com/c:2"}]
    assert stored["metadata"]["generation"] == 2


def test_scale_delete_and_what_is_missing(api: ApiServer) -> None:
    api.kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    assert api.kubectl("scale", "deployment/web", "--replicas=4").returncode == 0
    assert api.kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}").stdout == "4"
    assert api.kubectl("delete", "deployment", "web").returncode == 0
    missing = api.kubectl("get", "deployment", "web")
    assert missing.returncode == 1
    assert "NotFound" in missing.stderr


def test_a_crd_serves_its_kind(api: ApiServer) -> None:
    assert api.kubectl("apply", "-f", "-", stdin=CRD).returncode == 0
    waited = api.kubectl("wait", "--for=condition=Established", "crd/foos.example.com", "--timeout=10s")
    assert waited.returncode == 0, waited.stderr
    foo = "apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: one}\nspec: {a: 1}\n"
    assert api.kubectl("apply", "-f", "-", stdin=foo).returncode == 0
    assert api.kubectl("apply", "-f", "-", stdin=foo.replace("a: 1", "a: 2")).returncode == 0
    assert api.kubectl("get", "foos", "one", "-o", "jsonpath={.spec.a}").stdout == "2"


def test_server_side_apply_names_the_other_owner(api: ApiServer) -> None:
    ours = DEPLOYMENT.replace("replicas: 2", "replicas: 5")
    assert api.kubectl("apply", "--server-side", "--field-manager=one", "-f", "-", stdin=DEPLOYMENT).returncode == 0
    refused = api.kubectl("apply", "--server-side", "--field-manager=two", "-f", "-", stdin=ours)
    assert refused.returncode == 1
    assert 'conflict with "one"' in refused.stderr
    forced = api.kubectl("apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", "-", stdin=ours)
    assert forced.returncode == 0, forced.stderr


def test_dry_run_stores_nothing(api: ApiServer) -> None:
    assert api.kubectl("apply", "--dry-run=server", "-f", "-", stdin=DEPLOYMENT).returncode == 0
    assert api.kubectl("get", "deployment", "web").returncode == 1
