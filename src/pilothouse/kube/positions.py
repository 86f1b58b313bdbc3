"""Where a field stands in a YAML document. Looked up only for what is reported: composing again costs less than keeping
a mark for every value of ten thousand manifests.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml

from pilothouse.kube.objects import Path
from pilothouse.kube.parsing import compose


@lru_cache(maxsize=32)
def _composed(document: str) -> Any:
    try:
        return compose(document)
    except yaml.YAMLError:
        return None


def find(document: str, path: Path) -> tuple[int, int]:
    """Line and column (from 0) of the key or list item that a path leads to; of the deepest step that exists."""
    node = _composed(document)
    mark = node.start_mark if node is not None else None
    for step in path:
        found = _step(node, step)
        if found is None:
            break
        mark, node = found
    return (mark.line, mark.column) if mark else (0, 0)


def _step(node: Any, step: str | int) -> tuple[Any, Any] | None:
    """The mark and the node that one step leads to."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item.start_mark, item
    return None
