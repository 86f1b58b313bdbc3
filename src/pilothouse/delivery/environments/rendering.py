"""What an environment's files mean to Kubernetes: its objects, and by what they were made.

Plain manifests are read here. Kustomizations and charts are rendered by their own tools where those are installed;
where they are not, that is said, and nothing is claimed about the result.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.delivery.environments.model import Environment, Kind
from pilothouse.kube import KubeObject, RenderingError, parse, read
from pilothouse.kube.rendering import is_chart, is_kustomization, render_chart


@dataclass(slots=True)
class Rendered:
    """The objects, `how` they came to be (for people), and what could not be rendered or read."""

    objects: list[KubeObject] = field(default_factory=list)
    how: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all of it could be rendered."""
        return not self.problems


def render(root: Path, environment: Environment, kubernetes: str = "") -> Rendered:
    """The objects of an environment from a checkout of its source. Never raises: see `problems`."""
    folder = root / environment.source.folder
    rendered = Rendered()
    if not folder.is_dir():
        rendered.problems.append(f"{environment.source.folder or 'the folder'}: there is no such folder")
        return rendered
    charts = {one.chart: one.file for one in environment.services.values() if one.kind is Kind.HELM and one.chart}
    for chart, values in charts.items():
        _add_chart(rendered, folder, chart, values, kubernetes)
    if environment.kind is Kind.HELM and not is_chart(folder):
        if not charts:
            rendered.problems.append(
                f"{folder.name}: holds values without their chart (name it: `chart: PATH`): nothing was rendered"
            )
        return rendered
    _add_folder(rendered, folder, kubernetes)
    return rendered


def _add_folder(rendered: Rendered, folder: Path, kubernetes: str) -> None:
    found = read([folder], kubernetes=kubernetes)
    rendered.objects += [_relative(one, folder) for one in found.objects]
    rendered.problems += [
        str(problem).replace(f"{folder}/", "").replace(str(folder), folder.name) for problem in found.problems
    ]
    if is_chart(folder):
        rendered.how.append("`helm template`")
    elif is_kustomization(folder):
        rendered.how.append("`kubectl kustomize`" if shutil.which("kubectl") else "`kustomize build`")
    else:
        rendered.how.append("plain manifests, as they are")


def _add_chart(rendered: Rendered, folder: Path, chart: str, values: str, kubernetes: str) -> None:
    place = folder / chart
    if not is_chart(place):
        rendered.problems.append(f"{chart}: is no Helm chart")
        return
    given = [folder / values] if values and (folder / values).is_file() else []
    try:
        text = render_chart(place, given, kubernetes=kubernetes)
    except RenderingError as error:
        rendered.problems.append(str(error).replace(f"{folder}/", ""))
        return
    parsed = parse(text, chart)
    rendered.objects += parsed.objects
    rendered.problems += [str(problem) for problem in parsed.problems]
    rendered.how.append(f"`helm template` of {chart} with {values}")


def _relative(one: KubeObject, folder: Path) -> KubeObject:
    """With its file's name below the folder: where the checkout lies is nobody's business."""
    one.file = one.file.replace(f"{folder}/", "").replace(str(folder), folder.name)
    return one
