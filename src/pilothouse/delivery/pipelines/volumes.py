"""Volumes as directories: what the kubelet would mount, made on this machine."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines.catalog import Catalog
from pilothouse.delivery.pipelines.errors import RunError

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


class Volumes:
    """Makes the directories of one TaskRun.

    `own` is the TaskRun's directory (its emptyDirs are there), `shared` that of its PipelineRun (claims made from
    templates), `kept` that of the installation (named claims, which outlive runs).
    """

    def __init__(
        self, own: Path, shared: Path, kept: Path, catalog: Catalog, metadata: dict[str, Any], made: str = ""
    ) -> None:
        """`made` is how the names of claims begin that this run made from templates (see `claim_name`)."""
        self._made = made
        self._own = own
        self._shared = shared
        self._kept = kept
        self._catalog = catalog
        self._metadata = metadata

    def directory(self, name: str, source: dict[str, Any]) -> Path:
        """The directory for a volume or workspace called `name` with this source. Raises `RunError`."""
        if claim := source.get("persistentVolumeClaim"):
            claimed = str(claim.get("claimName", ""))
            own = bool(self._made) and claimed.startswith(self._made)
            return _made((self._shared if own else self._kept) / safe(claimed))
        if "volumeClaimTemplate" in source:
            return _made(self._shared / safe(name))
        if (host := source.get("hostPath")) is not None:
            return self._host(str(host.get("path", "")), str(host.get("type") or ""))
        for field in ("configMap", "secret", "projected", "downwardAPI"):
            if source.get(field) is not None:
                return self._files(name, field, source[field])
        if source.get("csi") is not None:
            raise RunError(
                "PodCreationFailed",
                f"volume {name!r}: a CSI driver ({source['csi'].get('driver')}) needs a cluster; give another binding",
            )
        if "emptyDir" in source or not [key for key in source if key not in ("name", "subPath")]:
            return _made(self._own / safe(name))
        kinds = ", ".join(key for key in source if key not in ("name", "subPath"))
        raise RunError(
            "PodCreationFailed", f"volume {name!r}: a volume of type {kinds} cannot be had without a cluster"
        )

    def below(self, directory: Path, sub_path: str, name: str) -> Path:
        """The directory `sub_path` in a volume, made when it is not there. It must not lead out of the volume."""
        if not sub_path:
            return directory
        found = (directory / sub_path.lstrip("/")).resolve()
        if not found.is_relative_to(directory.resolve()):
            raise RunError("PodCreationFailed", f"subPath {sub_path!r} of {name!r} leads out of the volume")
        if not found.exists():
            found.mkdir(parents=True)
        return found

    def _host(self, path: str, kind: str) -> Path:
        found = Path(path)
        if kind == "DirectoryOrCreate":
            return _made(found)
        if not found.exists():
            raise RunError("PodCreationFailed", f"hostPath {path} is not there")
        return found

    def _files(self, name: str, field: str, source: dict[str, Any]) -> Path:
        directory = _made(self._own / safe(name))
        parts = source.get("sources") or [] if field == "projected" else [{field: source}]
        mode = source.get("defaultMode")
        for part in parts:
            for path, content in self._entries(name, part).items():
                self._write(directory, path, content, mode)
        return directory

    def _entries(self, name: str, part: dict[str, Any]) -> dict[str, bytes]:
        for field, kind, key in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            if (source := part.get(field)) is None:
                continue
            wanted = str(source.get(key) or source.get("name") or "")
            found = self._catalog.secret(wanted) if kind == "Secret" else self._catalog.config_map(wanted)
            if found is None:
                if source.get("optional"):
                    return {}
                raise RunError(
                    "CreateContainerConfigError",
                    f"volume {name!r}: {kind} {wanted!r} is not here; add its YAML to the files of the run",
                )
            return _selected(found, source.get("items"), f"{kind} {wanted!r}")
        if (downward := part.get("downwardAPI")) is not None:
            return {item["path"]: self._field(item.get("fieldRef") or {}) for item in downward.get("items") or []}
        if (token := part.get("serviceAccountToken")) is not None:
            raise RunError(
                "PodCreationFailed", f"volume {name!r}: a service account token ({token.get('path')}) needs a cluster"
            )
        return {}

    def _field(self, ref: dict[str, Any]) -> bytes:
        path = str(ref.get("fieldPath", ""))
        if found := re.fullmatch(r"metadata\.(name|namespace|uid)", path):
            return str(self._metadata.get(found[1], "")).encode()
        if found := re.fullmatch(r"metadata\.(labels|annotations)(?:\['([^']+)'\])?", path):
            entries = self._metadata.get(found[1]) or {}
            if found[2]:
                return str(entries.get(found[2], "")).encode()
            return "\n".join(f'{key}="{value}"' for key, value in sorted(entries.items())).encode()
        return b""

    def _write(self, directory: Path, path: str, content: bytes, mode: Any) -> None:
        target = (directory / path).resolve()
        if not target.is_relative_to(directory.resolve()):
            raise RunError("PodCreationFailed", f"the path {path!r} leads out of its volume")
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.unlink()
        target.write_bytes(content)
        target.chmod(int(mode) & 0o777 if isinstance(mode, int) else 0o644)


def claim_prefix(uid: str) -> str:
    """How the names of the claims begin that a run makes from its templates."""
    return f"pvc-{uid[:10]}-"


def claimed(bindings: list[dict[str, Any]], uid: str) -> list[dict[str, Any]]:
    """A run's workspaces with the claims that its templates became, as Tekton hands them to its tasks."""
    return [
        {
            **{key: value for key, value in one.items() if key != "volumeClaimTemplate"},
            "persistentVolumeClaim": {"claimName": claim_prefix(uid) + str(one.get("name", ""))},
        }
        if one.get("volumeClaimTemplate") is not None
        else one
        for one in bindings
    ]


def safe(name: str) -> str:
    """A name that can be a file's; others are hashed."""
    return name if _PLAIN.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()[:32]


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _selected(found: dict[str, bytes], items: Any, owner: str) -> dict[str, bytes]:
    if not items:
        return found
    lacking = [item.get("key") for item in items if item.get("key") not in found]
    if lacking:
        raise RunError("CreateContainerConfigError", f"{owner} has no key {lacking[0]!r}")
    return {item["path"]: found[item["key"]] for item in items}
