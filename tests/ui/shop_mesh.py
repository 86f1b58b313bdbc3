"""The shop's mesh: SMI resources as files, and what Istio measured of them, by remote write.

The split asks for 90 % and 10 %; half of the requests went to the new version. Orders are called by somebody whom no
target lets in.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import httpx

from tests.signals.metrics.real_prometheus import encoded

_SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: {app}{version}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---"""
_PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec: {{template: {{metadata: {{labels: {{app: {app}{version}}}}}, spec: {{serviceAccountName: {app}}}}}}}
---"""
_RULES = """
apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {name: checkout, namespace: shop}
spec: {service: checkout, backends: [{service: checkout-v1, weight: 90}, {service: checkout-v2, weight: 10}]}
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: gateway-to-checkout, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: checkout, namespace: shop}
  sources: [{kind: ServiceAccount, name: gateway, namespace: shop}]
  rules: [{kind: HTTPRouteGroup, name: api, matches: [buy]}]
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: checkout-to-payments, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: payments, namespace: shop}
  sources: [{kind: ServiceAccount, name: checkout, namespace: shop}]
  rules: [{kind: HTTPRouteGroup, name: api, matches: [buy]}]
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: api, namespace: shop}
spec: {matches: [{name: buy, pathRegex: /checkout.*, methods: [POST]}]}
"""
_VERSIONS = (("gateway", ""), ("checkout", "v1"), ("checkout", "v2"), ("payments", ""), ("catalog", ""))
_CALLS = {
    ("gateway", "checkout-v1"): 610,
    ("gateway", "checkout-v2"): 590,
    ("checkout-v1", "payments"): 580,
    ("checkout-v2", "payments"): 575,
    ("catalog", "payments"): 12,
}


def write_mesh(directory: Path) -> Path:
    """The directory, with the manifests in it; they have been in force for an hour."""
    directory.mkdir()
    text = _SERVICE.format(name="checkout", app="checkout", version="")
    for app, version in _VERSIONS:
        parts = {
            "name": f"{app}-{version}" if version else app,
            "app": app,
            "version": f", version: {version}" if version else "",
        }
        text += _SERVICE.format(**parts) + _PODS.format(**parts)
    file = directory / "shop.yaml"
    file.write_text(text + _RULES)
    os.utime(file, (time.time() - 3600,) * 2)
    return directory


def send_mesh(http: str) -> None:
    """Istio's counters of the last four minutes."""
    now = int(time.time() * 1000)
    series = []
    for (client, server), number in _CALLS.items():
        labels = {
            "__name__": "istio_requests_total", "reporter": "source", "response_code": "200",
            "source_workload": client, "source_workload_namespace": "shop",
            "destination_service_name": server, "destination_service_namespace": "shop",
        }  # fmt: skip
        series.append((labels, [(now - 1000 * (240 - 10 * step), number * step / 23) for step in range(24)]))
    headers = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
    body = encoded(series)
    httpx.post(f"{http}/prometheus/api/v1/write", content=body, headers=headers, timeout=60).raise_for_status()
