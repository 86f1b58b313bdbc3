"""A directory of manifests as a large company's repository has them: one service a file, many kinds, unequal sizes."""

from __future__ import annotations

import random
from pathlib import Path

_SERVICE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {space}
  labels: {{app: {name}, team: {team}}}
spec:
  {replicas}
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      serviceAccountName: {name}
      containers:
        - name: main
          image: {image}
          ports:
            - {{name: http, containerPort: 8080}}
          env:
            - name: UPSTREAM
              value: {upstream}
            - name: LOG_LEVEL
              value: info
          resources:
            requests: {{cpu: {cpu}m, memory: {memory}Mi}}
            limits: {{memory: {memory}Mi}}
          readinessProbe:
            httpGet: {{path: /ready, port: http}}
          livenessProbe:
            {liveness}
          volumeMounts:
            - {{name: tmp, mountPath: /tmp}}
      volumes:
        - name: tmp
          emptyDir: {{}}
"""
_OTHERS = {
    "Service": "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {space}}}\nspec:\n"
    "  selector: {{app: {name}}}\n  ports:\n    - {{name: http, port: 80, targetPort: http}}\n",
    "HorizontalPodAutoscaler": "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
    "metadata: {{name: {name}, namespace: {space}}}\nspec:\n"
    "  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}\n  minReplicas: 2\n  maxReplicas: 10\n"
    "  metrics:\n    - type: Resource\n"
    "      resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 70}}}}\n",
    "ConfigMap": "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {space}}}\ndata:\n"
    "  settings.yaml: |\n    a: 1\n    b: [1, 2, 3]\n",
    "PodDisruptionBudget": "apiVersion: policy/v1\nkind: PodDisruptionBudget\n"
    "metadata: {{name: {name}, namespace: {space}}}\nspec:\n  maxUnavailable: 1\n"
    "  selector: {{matchLabels: {{app: {name}}}}}\n",
    "NetworkPolicy": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    "metadata: {{name: {name}, namespace: {space}}}\nspec:\n  podSelector: {{matchLabels: {{app: {name}}}}}\n"
    "  policyTypes: [Ingress]\n  ingress:\n    - from: [{{podSelector: {{}}}}]\n",
    "CronJob": "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: {name}, namespace: {space}}}\nspec:\n"
    '  schedule: "*/5 * * * *"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n'
    "          restartPolicy: Never\n"
    "          containers:\n            - {{name: main, image: {image}, args: [run]}}\n",
}


def write(directory: Path, count: int, services_a_namespace: int = 50) -> int:
    """Write `count` manifests, one a file, two fifths of them Deployments; returns the bytes."""
    chance = random.Random(7)
    total = number = 0
    while number < count:
        service = number // 5
        facts = {
            "name": f"svc-{service:05}",
            "space": f"team-{service // services_a_namespace:03}",
            "team": f"t{service % 17}",
            "replicas": "replicas: 3" if chance.random() < 0.7 else "minReadySeconds: 5",
            "image": chance.choice(["registry.example.com/a/b:1.2.3", "nginx", "registry.example.com/x:latest"]),
            "upstream": chance.choice(["http://cart.shop.svc:80", "https://api.example.com/v1"]),
            "cpu": chance.choice([50, 100, 500]),
            "memory": chance.choice([64, 256, 1024]),
            "liveness": chance.choice(
                ["httpGet: {path: /live, port: http}", "httpGet: {path: /ready, port: http}",
                 'exec: {command: [sh, -c, "true"]}']
            ),
        }  # fmt: skip
        kinds = [_SERVICE, _SERVICE.replace("name: {name}\n  n", "name: {name}-worker\n  n"),
                 *chance.sample(sorted(_OTHERS.values()), 3)]  # fmt: skip
        for place, template in enumerate(kinds[: count - number]):
            path = directory / facts["space"] / f"{facts['name']}-{place}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            total += path.write_text(template.format(**facts))
        number += len(kinds)
    return total
