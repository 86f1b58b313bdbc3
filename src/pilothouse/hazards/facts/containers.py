"""A container as rules see it."""

from __future__ import annotations

import re
from typing import Any

from pilothouse.hazards.facts.images import image
from pilothouse.kube.objects import dig, mapping, mappings, sequence, text_of
from pilothouse.kube.quantities import quantity

_SHELLS = {"sh", "bash", "ash", "dash", "zsh"}
_REAPERS = {"tini", "dumb-init", "catatonit", "s6-svscan", "runit"}
_FLAG = re.compile(r"--?([A-Za-z][\w.-]*)(?:=(.*))?")
_HEAP = re.compile(r"-Xmx(\d+)([kKmMgG]?)")
_OLD_SPACE = re.compile(r"--max[-_]old[-_]space[-_]size[= ](\d+)")
# A name with one to four dots under a public domain, alone or in a URL: what ndots multiplies.
_EXTERNAL = re.compile(r"(?:https?://)?(?:[a-z0-9-]+\.){1,4}(?:com|net|org|io|dev|cloud)(?::\d+)?(?:/.*)?$")
_SECRET = re.compile(r"(?i)(?:password|passwd|secret|token|api_?key|private_?key)$")
# A script that becomes its one command leaves nothing for PID 1 to reap.
_BECOMES = re.compile(r"\s*exec\s[^|;&]*")
_NO_SECRET = re.compile(r"(?i)(?:true|false|https?://.*|/.*|.*file.*)$")


def container(raw: dict[str, Any], path: tuple[str | int, ...], init: bool) -> dict[str, Any]:
    """Facts of one container; `path` is where it stands below the pod spec."""
    resources = mapping(raw.get("resources"))
    reference = image(text_of(raw.get("image")))
    command = [text_of(word) for word in sequence(raw.get("command"))]
    arguments = [text_of(word) for word in sequence(raw.get("args"))]
    words = command + arguments
    env = mappings(raw.get("env"))
    values = {text_of(one.get("name")): text_of(one["value"]) for one in env if "value" in one}
    security = mapping(raw.get("securityContext"))
    capabilities = mapping(security.get("capabilities"))
    shell = bool(words) and words[0].rpartition("/")[2] in _SHELLS and "-c" in words[1:3]
    lifecycle = mapping(raw.get("lifecycle"))
    stop = mapping(lifecycle.get("preStop"))
    probes = [
        _probe(kind, raw[f"{kind}Probe"])
        for kind in ("liveness", "readiness", "startup")
        if isinstance(raw.get(f"{kind}Probe"), dict)
    ]
    return {
        "name": text_of(raw.get("name")),
        "path": list(path),
        "init": init,
        "sidecar": init and raw.get("restartPolicy") == "Always",
        "image": reference,
        "pull_policy": text_of(raw.get("imagePullPolicy")) or ("Always" if reference["mutable"] else "IfNotPresent"),
        "requests": _amounts(resources.get("requests"), resources.get("limits")),
        "limits": _amounts(resources.get("limits"), None),
        "probes": probes,
        "unknown_probe_ports": _unknown_ports(probes, mappings(raw.get("ports"))),
        "same_probes": raw.get("livenessProbe") is not None
        and _handler(raw.get("livenessProbe")) == _handler(raw.get("readinessProbe")),
        "command": command,
        "args": arguments,
        "script": " ".join(words),
        "shell": shell,
        "execs": shell and bool(re.search(r"(?:^|[;&|\s])exec\s", words[-1])),
        "reaper": bool(words) and words[0].rpartition("/")[2] in _REAPERS,
        "flags": _flags(words),
        "env": values,
        "external": [name for name, value in values.items() if _EXTERNAL.match(value)],
        "secrets": [name for name, value in values.items() if _SECRET.search(name) and _is_secret(value)],
        "env_names": [text_of(one.get("name")) for one in env],
        "heap": _heap(words, values),
        "ports": [
            {"name": text_of(one.get("name")), "port": float(quantity(one.get("containerPort")) or 0),
             "host": float(quantity(one.get("hostPort")) or 0), "protocol": text_of(one.get("protocol")) or "TCP"}
            for one in mappings(raw.get("ports"))
        ],
        "mounts": [
            {"name": text_of(one.get("name")), "path": text_of(one.get("mountPath")),
             "read_only": one.get("readOnly") is True, "sub_path": text_of(one.get("subPath")),
             "propagation": text_of(one.get("mountPropagation"))}
            for one in mappings(raw.get("volumeMounts"))
        ],
        "privileged": security.get("privileged") is True,
        "adds": [text_of(name) for name in sequence(capabilities.get("add"))],
        "drops": [text_of(name) for name in sequence(capabilities.get("drop"))],
        "escalates": security.get("allowPrivilegeEscalation") is not False,
        "read_only_root": security.get("readOnlyRootFilesystem") is True,
        "user": float(quantity(security.get("runAsUser")) if "runAsUser" in security else -1),  # type: ignore[arg-type]
        "non_root": security.get("runAsNonRoot") is True,
        "seccomp": text_of(dig(security, "seccompProfile", "type")),
        "pre_stop": bool(stop),
        "pre_stop_seconds": _stop_seconds(stop),
        "termination_path": text_of(raw.get("terminationMessagePolicy")),
    }  # fmt: skip


def _is_secret(value: str) -> bool:
    """Whether a literal may be one: no reference, no path, no address, no switch."""
    return len(value) >= 6 and not {"$", " "} & set(value) and not _NO_SECRET.match(value)


def _amounts(given: Any, fallback: Any) -> dict[str, float]:
    """Quantities as numbers; a limit without a request is its own request, as the API server sees it."""
    found: dict[str, float] = {}
    for source in (given, fallback):
        for name, value in mapping(source).items():
            number = quantity(value)
            if number is not None:
                found.setdefault(name.replace("-", "_"), number)
    return found


def _handler(probe: Any) -> Any:
    given = mapping(probe)
    return {key: given[key] for key in ("exec", "httpGet", "tcpSocket", "grpc") if key in given} or None


def _probe(kind: str, raw: dict[str, Any]) -> dict[str, Any]:
    """A probe with its defaults (https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/)."""
    handler = next((key for key in ("exec", "httpGet", "tcpSocket", "grpc") if key in raw), "")
    command = [text_of(word) for word in sequence(dig(raw, "exec", "command"))]
    period, threshold = _number(raw, "periodSeconds", 10), _number(raw, "failureThreshold", 3)
    delay = _number(raw, "initialDelaySeconds", 0)
    return {
        "kind": kind,
        "handler": handler,
        "command": command,
        "shell": bool(command)
        and command[0].rpartition("/")[2] in {*_SHELLS, "timeout"}
        and not _BECOMES.fullmatch(command[-1]),
        "path": text_of(dig(raw, "httpGet", "path")),
        "port": text_of(dig(raw, handler, "port")),
        "period": period,
        "timeout": _number(raw, "timeoutSeconds", 1),
        "timeout_given": "timeoutSeconds" in raw,
        "threshold": threshold,
        "delay": delay,
        "budget": delay + period * threshold,
    }


def _unknown_ports(probes: list[dict[str, Any]], ports: list[dict[str, Any]]) -> list[str]:
    """The names of ports that probes ask and that the container does not give to any."""
    names = {text_of(one.get("name")) for one in ports}
    return [one["port"] for one in probes if one["port"] and not one["port"].isdigit() and one["port"] not in names]


def _number(raw: dict[str, Any], name: str, default: float) -> float:
    number = quantity(raw.get(name))
    return float(default) if number is None else number


def _flags(words: list[str]) -> dict[str, str]:
    """`--name=value` and `--name value`; a flag without a value is `true`."""
    found: dict[str, str] = {}
    for number, word in enumerate(words):
        match = _FLAG.fullmatch(word)
        if match:
            following = words[number + 1] if number + 1 < len(words) else "-"
            found[match[1]] = match[2] if match[2] is not None else "true" if following[:1] == "-" else following
    return found


def _heap(words: list[str], env: dict[str, str]) -> float:
    """The largest heap a runtime is told to use, in bytes; 0 when none is said."""
    text = " ".join([*words, *(env.get(name, "") for name in ("JAVA_OPTS", "JAVA_TOOL_OPTIONS", "NODE_OPTIONS"))])
    if found := _HEAP.search(text):
        return float(found[1]) * {"k": 2.0**10, "m": 2.0**20, "g": 2.0**30}.get(found[2].lower(), 1.0)
    if found := _OLD_SPACE.search(text):
        return float(found[1]) * 2.0**20
    limit = env.get("GOMEMLIMIT", "")
    return quantity(limit.removesuffix("B")) or 0.0


def _stop_seconds(stop: Any) -> float:
    """How long a preStop hook sleeps, as far as it says."""
    seconds = quantity(dig(stop, "sleep", "seconds"))
    if seconds is not None:
        return seconds
    words = " ".join(text_of(word) for word in sequence(dig(stop, "exec", "command")))
    found = re.search(r"\bsleep\s+(\d+)", words)
    return float(found[1]) if found else 0.0
