"""The fields of every Tekton object and their types.

Source: `pkg/apis/pipeline/{v1,v1beta1}` of tektoncd/pipeline 1.15 and `pkg/apis/triggers/v1beta1`. A type is a word
(`string`, `int`, `bool`, `duration`, `quantity`, `any`, `value` for a parameter's text, list or map), the name of a
table below, `[type]` for a list, or `{type}` for a map from texts.
"""

from __future__ import annotations

_CONTAINER = {
    "name": "string", "image": "string", "command": "[string]", "args": "[string]", "workingDir": "string",
    "envFrom": "[EnvFrom]", "env": "[EnvVar]", "computeResources": "Resources", "volumeMounts": "[VolumeMount]",
    "volumeDevices": "[any]", "imagePullPolicy": "string", "securityContext": "any",
}  # fmt: skip
_PROBED = {
    "ports": "[any]", "livenessProbe": "any", "readinessProbe": "any", "startupProbe": "any", "lifecycle": "any",
    "terminationMessagePath": "string", "terminationMessagePolicy": "string", "stdin": "bool", "stdinOnce": "bool",
    "tty": "bool",
}  # fmt: skip

SHAPES: dict[str, dict[str, str]] = {
    "Task": {"spec": "TaskSpec"},
    "Pipeline": {"spec": "PipelineSpec"},
    "TaskRun": {"spec": "TaskRunSpec", "status": "any"},
    "PipelineRun": {"spec": "PipelineRunSpec", "status": "any"},
    "StepAction": {"spec": "StepActionSpec"},
    "CustomRun": {"spec": "CustomRunSpec", "status": "any"},
    "TaskSpec": {
        "params": "[ParamSpec]", "displayName": "string", "description": "string", "steps": "[Step]",
        "volumes": "[Volume]", "stepTemplate": "StepTemplate", "sidecars": "[Sidecar]",
        "workspaces": "[WorkspaceDeclaration]", "results": "[TaskResult]",
    },
    "Step": {
        **_CONTAINER, "displayName": "string", "script": "string", "timeout": "duration",
        "workspaces": "[WorkspaceUsage]", "onError": "string",
        "stdoutConfig": "StepOutput", "stderrConfig": "StepOutput", "ref": "Ref",
        "params": "[Param]", "results": "[StepResult]", "when": "[When]",
    },
    "StepTemplate": {key: kind for key, kind in _CONTAINER.items() if key != "name"},
    "Sidecar": {
        **_CONTAINER, **_PROBED, "script": "string", "workspaces": "[WorkspaceUsage]", "restartPolicy": "string",
    },
    "StepOutput": {"path": "string"},
    "Ref": {"name": "string", "resolver": "string", "params": "[Param]"},
    "Param": {"name": "string", "value": "value", "valueFrom": "any"},
    "ParamSpec": {
        "name": "string", "type": "string", "description": "string", "properties": "{Property}", "default": "value",
        "enum": "[string]",
    },
    "Property": {"type": "string"},
    "StepResult": {
        "name": "string", "type": "string", "properties": "{Property}", "description": "string", "default": "value",
    },
    "TaskResult": {
        "name": "string", "type": "string", "properties": "{Property}", "description": "string", "value": "value",
        "default": "value",
    },
    "PipelineResult": {
        "name": "string", "type": "string", "description": "string", "value": "value", "default": "value",
    },
    "WorkspaceDeclaration": {
        "name": "string", "description": "string", "mountPath": "string", "readOnly": "bool", "optional": "bool",
    },
    "WorkspaceUsage": {"name": "string", "mountPath": "string"},
    "PipelineWorkspace": {"name": "string", "description": "string", "optional": "bool"},
    "PipelineSpec": {
        "displayName": "string", "description": "string", "tasks": "[PipelineTask]", "params": "[ParamSpec]",
        "workspaces": "[PipelineWorkspace]", "results": "[PipelineResult]", "finally": "[PipelineTask]",
    },
    "PipelineTask": {
        "name": "string", "displayName": "string", "description": "string", "taskRef": "TaskRef",
        "taskSpec": "EmbeddedTask", "pipelineRef": "PipelineRef", "pipelineSpec": "PipelineSpec", "when": "[When]",
        "retries": "int", "runAfter": "[string]", "params": "[Param]", "matrix": "Matrix",
        "workspaces": "[TaskWorkspace]", "timeout": "duration", "onError": "string",
    },
    "TaskRef": {
        "name": "string", "kind": "string", "apiVersion": "string", "resolver": "string", "params": "[Param]",
        "bundle": "string",
    },
    "PipelineRef": {
        "name": "string", "apiVersion": "string", "resolver": "string", "params": "[Param]", "bundle": "string",
    },
    "When": {"input": "string", "operator": "string", "values": "[string]", "cel": "string"},
    "Matrix": {"params": "[Param]", "include": "[MatrixInclude]"},
    "MatrixInclude": {"name": "string", "params": "[Param]", "when": "[When]"},
    "TaskWorkspace": {"name": "string", "workspace": "string", "subPath": "string"},
    "TaskRunSpec": {
        "debug": "Debug", "params": "[Param]", "serviceAccountName": "string", "taskRef": "TaskRef",
        "taskSpec": "TaskSpec", "status": "string", "statusMessage": "string", "retries": "int", "timeout": "duration",
        "podTemplate": "any", "workspaces": "[WorkspaceBinding]", "stepSpecs": "[StepSpec]",
        "sidecarSpecs": "[StepSpec]", "computeResources": "Resources", "managedBy": "string",
    },
    "Debug": {"breakpoints": "Breakpoints"},
    "Breakpoints": {"onFailure": "string", "beforeSteps": "[string]"},
    "StepSpec": {"name": "string", "computeResources": "Resources"},
    "PipelineRunSpec": {
        "pipelineRef": "PipelineRef", "pipelineSpec": "PipelineSpec", "params": "[Param]", "status": "string",
        "timeouts": "Timeouts", "taskRunTemplate": "TaskRunTemplate", "workspaces": "[WorkspaceBinding]",
        "taskRunSpecs": "[PipelineTaskRunSpec]", "managedBy": "string",
    },
    "Timeouts": {"pipeline": "duration", "tasks": "duration", "finally": "duration"},
    "TaskRunTemplate": {"podTemplate": "any", "serviceAccountName": "string"},
    "PipelineTaskRunSpec": {
        "pipelineTaskName": "string", "serviceAccountName": "string", "podTemplate": "any", "stepSpecs": "[StepSpec]",
        "sidecarSpecs": "[StepSpec]", "metadata": "any", "computeResources": "Resources", "timeout": "duration",
    },
    "WorkspaceBinding": {
        "name": "string", "subPath": "string", "volumeClaimTemplate": "any", "persistentVolumeClaim": "ClaimSource",
        "emptyDir": "any", "configMap": "any", "secret": "any", "projected": "any", "csi": "any",
    },
    "ClaimSource": {"claimName": "string", "readOnly": "bool"},
    "StepActionSpec": {
        "description": "string", "image": "string", "command": "[string]", "args": "[string]", "env": "[EnvVar]",
        "script": "string", "workingDir": "string", "params": "[ParamSpec]", "results": "[StepResult]",
        "securityContext": "any", "volumeMounts": "[VolumeMount]",
    },
    "CustomRunSpec": {
        "customRef": "TaskRef", "customSpec": "any", "params": "[Param]", "status": "string", "statusMessage": "string",
        "retries": "int", "serviceAccountName": "string", "timeout": "duration", "workspaces": "[WorkspaceBinding]",
    },
    "EnvVar": {"name": "string", "value": "string", "valueFrom": "any"},
    "EnvFrom": {"prefix": "string", "configMapRef": "any", "secretRef": "any"},
    "VolumeMount": {
        "name": "string", "mountPath": "string", "subPath": "string", "subPathExpr": "string", "readOnly": "bool",
        "mountPropagation": "string", "recursiveReadOnly": "string",
    },
    "Resources": {"requests": "{quantity}", "limits": "{quantity}", "claims": "[any]"},
}  # fmt: skip

# A task inside a pipeline may carry metadata, or be a custom task with a spec of its own form.
SHAPES["EmbeddedTask"] = {
    **SHAPES["TaskSpec"], "apiVersion": "string", "kind": "string", "metadata": "any", "spec": "any",
}  # fmt: skip
# Kubernetes' own volumes: only the name is ours to check.
SHAPES["Volume"] = {}
OPEN = {"Volume"}

VERSIONS = {
    "Task": ("tekton.dev/v1", "tekton.dev/v1beta1"),
    "Pipeline": ("tekton.dev/v1", "tekton.dev/v1beta1"),
    "TaskRun": ("tekton.dev/v1", "tekton.dev/v1beta1"),
    "PipelineRun": ("tekton.dev/v1", "tekton.dev/v1beta1"),
    "StepAction": ("tekton.dev/v1beta1", "tekton.dev/v1alpha1", "tekton.dev/v1"),
    "CustomRun": ("tekton.dev/v1beta1",),
}
