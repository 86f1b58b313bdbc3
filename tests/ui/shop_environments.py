"""The environments that versions of the checkout move through: folders of manifests, promoted by changing the image."""

from __future__ import annotations

from pathlib import Path

_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: checkout}}
spec:
  selector: {{matchLabels: {{app: checkout}}}}
  template:
    metadata: {{labels: {{app: checkout}}}}
    spec:
      containers:
        - name: checkout
          image: registry.example.org/shop/checkout:{version}
"""
_ENVIRONMENTS = """\
environments:
  - {name: lab, strategy: Never, services: [checkout]}
  - {name: staging, strategy: Auto, services: [checkout]}
  - {name: production, strategy: Manual, services: [checkout]}
"""


def write_environments(root: Path) -> Path:
    """The environments file, with their folders beside it."""
    for name, version in {"lab": "2.1.0", "staging": "2.0.0", "production": "1.0.0"}.items():
        (root / name).mkdir(parents=True)
        (root / name / "checkout.yaml").write_text(_MANIFEST.format(version=version))
    file = root / "environments.yaml"
    file.write_text(_ENVIRONMENTS)
    return file
