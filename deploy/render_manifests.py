"""Writes `deploy/manifests/pilothouse.yaml` from the chart's defaults, for those who do not use Helm.

`python deploy/render_manifests.py`; a test fails when it is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAD = """# Made by deploy/render_manifests.py from deploy/helm/pilothouse with its default values.
# First:  kubectl create namespace pilothouse
#         pilothouse token secret --namespace pilothouse | kubectl apply -f -
# Then:   kubectl apply -f pilothouse.yaml
---
"""

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tests.deploy.rendering import render

    (ROOT / "deploy" / "manifests" / "pilothouse.yaml").write_text(
        HEAD + render(ROOT / "deploy" / "helm" / "pilothouse")
    )
