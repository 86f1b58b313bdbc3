"""Makes `kinds.json` and `types.json`: which kinds and fields there are in which version of Kubernetes.

    python -m pilothouse.kube.schemas.making DIRECTORY

DIRECTORY holds unpacked wheels of `lightkube-models` (MIT), one a minor version, each in a directory that is named
after its version (`1.31.1.8/lightkube/models/...`). They are generated from Kubernetes' own OpenAPI documents, and are
read as syntax trees, not imported. No descriptions are taken over.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def main(directory: Path) -> None:
    """Read all versions, oldest first, and write both files."""
    found = sorted((tuple(map(int, path.name.split("."))), path) for path in directory.iterdir() if path.is_dir())
    versions = [f"{number[0]}.{number[1]}" for number, _ in found]
    kinds: dict[tuple[str, str, str], dict[str, Any]] = {}
    types: dict[str, dict[str, list[Any]]] = {}
    for index, (_, path) in enumerate(found):
        for key, row in _kinds(path / "lightkube" / "resources"):
            known = kinds.setdefault(key, row | {"first": index})
            known["last"] = index
            known["subresources"] = sorted({*known.get("subresources", ()), *row["subresources"]})
        for name, fields in _types(path / "lightkube" / "models"):
            _add_fields(types.setdefault(name, {}), fields, index)
    last = len(versions) - 1
    _write("kinds.json", {"versions": versions, "kinds": [_kind_row(key, row) for key, row in sorted(kinds.items())]})
    for written in (field for members in types.values() for field in members.values()):
        # Most fields have always been there: then two members are enough.
        if written[2] == 0 and written[3] == last:
            del written[2:]
    _write("types.json", {"versions": versions, "types": dict(sorted(types.items()))})


def _add_fields(members: dict[str, list[Any]], fields: dict[str, tuple[str, bool]], index: int) -> None:
    for field, (kind, required) in fields.items():
        before = members.get(field)
        members[field] = [kind, int(required), before[2] if before else index, index]


def _kind_row(key: tuple[str, str, str], row: dict[str, Any]) -> list[Any]:
    return [*key, row["plural"], int(row["namespaced"]), row["model"], row["first"], row["last"], row["subresources"]]


def _write(name: str, content: Any) -> None:
    (_HERE / name).write_text(json.dumps(content, separators=(",", ":")) + "\n")


def _kinds(directory: Path) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    """Each kind that can be created: (group, version, kind) and its plural, scope, type and subresources."""
    for path in sorted(directory.glob("*.py")):
        found: dict[tuple[str, str, str], dict[str, Any]] = {}
        below: dict[tuple[str, str, str], set[str]] = {}
        for node in ast.parse(path.read_text()).body:
            info = _api_info(node)
            if info is None or not isinstance(node, ast.ClassDef):
                continue
            if "parent" in info:
                below.setdefault(info["parent"], set()).add(info["action"])
            else:
                scope = ast.unparse(node.bases[0])
                model = ast.unparse(node.bases[1]).removeprefix("m_") if len(node.bases) > 1 else ""
                found[info["resource"]] = {
                    "plural": info["plural"], "namespaced": "Namespaced" in scope, "model": model,
                }  # fmt: skip
        for key, row in found.items():
            yield key, row | {"subresources": sorted(below.get(key, ()))}


def _api_info(node: ast.stmt) -> dict[str, Any] | None:
    for line in getattr(node, "body", ()):
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "_api_info":
            assert isinstance(line.value, ast.Call)
            return {word.arg or "": _literal(word.value) for word in line.value.keywords}
    return None


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        return tuple(_literal(argument) for argument in node.args)
    return ast.literal_eval(node)


def _types(directory: Path) -> Iterator[tuple[str, dict[str, tuple[str, bool]]]]:
    """Each type as `module.Name` with its fields: their type, and whether they must be there."""
    for path in sorted(directory.glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ClassDef):
                continue
            fields = {}
            for line in node.body:
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                    kind, optional = _kind_of(ast.literal_eval(line.annotation), path.stem)
                    fields[_written_name(line)] = (kind, not optional and line.value is None)
            if fields:
                yield f"{path.stem}.{node.name}", fields


def _written_name(line: ast.AnnAssign) -> str:
    """`from_` is `from` in JSON."""
    assert isinstance(line.target, ast.Name)
    if isinstance(line.value, ast.Call):
        for word in line.value.keywords:
            if word.arg == "metadata":
                return str(ast.literal_eval(word.value).get("json", line.target.id))
    return line.target.id


def _kind_of(annotation: str, module: str) -> tuple[str, bool]:
    optional = annotation.startswith("Optional[")
    kind = annotation.removeprefix("Optional[").removesuffix("]") if optional else annotation
    return _qualified(kind, module), optional


def _qualified(kind: str, module: str) -> str:
    """Types of the same module get its name: `List[Container]` in core_v1 is `List[core_v1.Container]`."""
    if kind.startswith("List["):
        return f"[{_qualified(kind[5:-1], module)}]"
    if kind in ("dict", "Dict"):
        return "{}"
    if kind in ("str", "int", "bool", "float", "Any", "datetime", "object"):
        return kind
    return kind if "." in kind else f"{module}.{kind}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
