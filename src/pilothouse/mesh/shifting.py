"""The weights of a TrafficSplit changed where it is written: in a file, whose comments and layout stay.

`SplitFiles` is what a rollout shifts traffic with (it has the two methods that `releases.rollout` asks of a shifter).
"""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from pilothouse.mesh.model import Name
from pilothouse.replacing import replace_file


class ShiftError(Exception):
    """The weights cannot be changed; the message says why."""


class Versions:
    """How versions of a service are named as backends, from a plan's settings.

    `namespace` (default), and `backends`, a mapping of version to backend Service; without it a version's backend is
    named as `backend` says, `{service}-{version}` by default, with dashes for the version's dots: a Service's name has
    none.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._namespace = str(settings.get("namespace") or "default")
        self._backends = {str(v): str(name) for v, name in dict(settings.get("backends") or {}).items()}
        self._pattern = str(settings.get("backend") or "{service}-{version}")

    def backend(self, service: str, version: str) -> str:
        """The backend Service of a version."""
        named = self._pattern.replace("{service}", service).replace("{version}", version.replace(".", "-"))
        return self._backends.get(version) or named

    def name(self, service: str) -> Name:
        """The Service that is divided; `shop/checkout` says its namespace itself."""
        namespace, slash, name = service.partition("/")
        return Name(namespace, name) if slash else Name(self._namespace, service)

    def by_version(self, service: str, found: Mapping[str, int]) -> Mapping[str, int]:
        """Weights of backends as weights of versions."""
        versions = {self._backends.get(v, ""): v for v in self._backends}
        prefix, _, suffix = self._pattern.replace("{service}", service).partition("{version}")
        named = {name: name.removeprefix(prefix).removesuffix(suffix).replace("-", ".") for name in found}
        return {versions.get(name) or named[name]: weight for name, weight in found.items()}


class SplitFiles:
    """A TrafficSplit of a Service, found in files. `settings` has `config` (a file or directory), and `Versions`'."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._config = Path(str(settings["config"]))
        self._versions = Versions(settings)

    def shift(self, service: str, weights: Mapping[str, int], key: str) -> None:
        """Give each version its weight. Doing so again changes nothing."""
        wanted = {self._versions.backend(service, v): w for v, w in weights.items()}
        shift(self._config, self._versions.name(service), wanted)

    def weights(self, service: str) -> Mapping[str, int] | None:
        """The weights in the file, by version; None when there is no such split."""
        try:
            found = weights_of(self._config, self._versions.name(service))
        except ShiftError:
            return None
        return self._versions.by_version(service, found)


def shift(config: Path, service: Name, weights: Mapping[str, int]) -> Path:
    """Set the weights of backends of the Service's TrafficSplit; others keep theirs. Returns the file.

    Raises `ShiftError` when there is no such split or backend, or nothing would get traffic.
    """
    file, documents, split = _find(config, service)
    backends = {str(backend.get("service")): backend for backend in split["spec"].get("backends") or ()}
    if missing := sorted(weights.keys() - backends.keys()):
        said = f"TrafficSplit of {service} in {file} has no backend {', '.join(missing)}; it has {', '.join(backends)}"
        raise ShiftError(said)
    quantities = str(split.get("apiVersion", "")).endswith("/v1alpha1")
    for name, weight in weights.items():
        if weight < 0:
            raise ShiftError(f"{name}={weight}: a weight is not negative")
        backends[name]["weight"] = str(weight) if quantities else weight
    if all(str(backend.get("weight")) in ("0", "0m") for backend in backends.values()):
        raise ShiftError(f"no backend of {service} would get traffic")
    _write(file, documents)
    return file


def shares(current: Mapping[str, int], wanted: Mapping[str, int]) -> dict[str, int]:
    """Percentages with which the wanted backends get theirs and the others divide what is left as they did before."""
    left = 100 - sum(wanted.values())
    if left < 0 or any(weight < 0 for weight in wanted.values()):
        raise ShiftError("percentages are not negative and add up to at most 100")
    others = {name: weight for name, weight in current.items() if name not in wanted}
    if not others and left:
        raise ShiftError(f"percentages add up to {100 - left}, and there is no other backend for the rest")
    total = sum(others.values())
    made = {name: left * weight // total if total else left // len(others) for name, weight in others.items()}
    for name in sorted(others, key=lambda name: -others[name])[: left - sum(made.values())]:
        made[name] += 1
    return {**made, **wanted}


def weights_of(config: Path, service: Name) -> dict[str, int]:
    """The weights of a Service's split, by backend. Raises `ShiftError` when there is none."""
    from pilothouse.kube import read
    from pilothouse.mesh.reading import read_objects

    of_service = [
        split
        for split in read_objects(read([config]).objects, service.namespace).configuration.splits.values()
        if split.root == service
    ]
    for split in of_service:
        if not split.matches:
            return {backend.service: backend.weight for backend in split.backends}
    if of_service:
        names = ", ".join(sorted(split.id.name for split in of_service))
        raise ShiftError(
            f"every TrafficSplit of {service} in {config} has matches ({names}): it divides only the requests that "
            "match. Change its weights in the file, or add a split without matches"
        )
    raise ShiftError(f"no TrafficSplit of {service} in {config}")


def _find(config: Path, service: Name) -> tuple[Path, list[Any], Any]:
    files = sorted(config.rglob("*.y*ml")) if config.is_dir() else [config]
    for file in files:
        try:
            documents = list(_yaml().load_all(file.read_text()))
        except Exception as error:
            raise ShiftError(f"{file}: {str(error).splitlines()[0]}") from None
        for document in documents:
            if _is(document, service):
                return file, documents, document
    raise ShiftError(f"no TrafficSplit of {service} in {config}")


def _is(document: Any, service: Name) -> bool:
    if not isinstance(document, dict) or document.get("kind") != "TrafficSplit":
        return False
    spec, metadata = document.get("spec") or {}, document.get("metadata") or {}
    return (
        isinstance(spec, dict)
        and spec.get("service") == service.name
        and not spec.get("matches")
        and (metadata.get("namespace") or service.namespace) == service.namespace
    )


def _write(file: Path, documents: list[Any]) -> None:
    """In one step, so that who reads sees the old file or the new one."""
    text = StringIO()
    _yaml().dump_all(documents, text)
    replace_file(file, text.getvalue(), durable=True)


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml
