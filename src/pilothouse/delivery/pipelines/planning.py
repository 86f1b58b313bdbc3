"""What a run would do, before it does: its tasks as a graph in waves, with what would be skipped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pilothouse.delivery.pipelines import asking, checking, parameters, whens
from pilothouse.delivery.pipelines.asking import Ask, Asked
from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.graph import build
from pilothouse.delivery.pipelines.runs.matrix import combinations
from pilothouse.delivery.pipelines.tasks.names import step_name
from pilothouse.delivery.pipelines.variables import replace


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One task: what it waits for, its steps with their images, how many runs it becomes (0: known when it runs)."""

    name: str
    after: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]
    runs: int = 1
    condition: str = ""
    final: bool = False
    what: str = ""


@dataclass(slots=True)
class Plan:
    """A run that was not started. `waves` are the names of tasks that may run side by side."""

    name: str
    kind: str
    tasks: list[PlannedTask] = field(default_factory=list)
    waves: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "run": self.name,
            "kind": self.kind,
            "params": self.params,
            "waves": self.waves,
            "notes": self.notes,
            "tasks": [
                {
                    "name": one.name,
                    "after": list(one.after),
                    "runs": one.runs,
                    "condition": one.condition,
                    "finally": one.final,
                    "task": one.what,
                    "steps": [{"name": name, "image": image} for name, image in one.steps],
                }
                for one in self.tasks
            ],
        }

    def drawn(self) -> str:
        """For people: a line a task, wave by wave, with what each waits for."""
        found = {one.name: one for one in self.tasks}
        lines = [f"{self.kind} {self.name}: {len(self.tasks)} tasks in {len(self.waves)} waves"]
        lines += [f"  {name} = {value}" for name, value in self.params.items()]
        for number, wave in enumerate(self.waves, 1):
            final = all(found[name].final for name in wave)
            lines.append(f"{'finally' if final else number}")
            for name in wave:
                lines += _drawn(found[name], last=name == wave[-1])
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def plan(ask: Ask) -> list[Plan]:
    """The plans of what is asked for. Raises `PipelineError`."""
    found = asking.documents(ask.files)
    checking.require(found)
    return [_plan(one) for one in asking.runs(ask, found)]


def _plan(asked: Asked) -> Plan:
    kind = "PipelineRun" if asked.document.kind.startswith("Pipeline") else "TaskRun"
    spec = asking.spec_of(asked)
    given = parameters.given(asked.run.spec.get("params") or [])
    try:
        params = {**given, **parameters.settle(spec.get("params") or [], given, asked.run.name)}
    except RunError as error:
        params, asked.notes[:] = given, [*asked.notes, str(error)]
    made = Plan(asked.run.name, kind, notes=asked.notes, params=params)
    if kind == "TaskRun":
        made.tasks = [PlannedTask(asked.run.name, (), _steps(spec))]
        made.waves = [[asked.run.name]]
        return made
    graph = build(spec.get("tasks") or [])
    for section in ("tasks", "finally"):
        for one in spec.get(section) or []:
            made.tasks.append(_task(one, asked, params, graph.parents.get(one["name"], ()), section == "finally"))
    made.waves = _waves(graph.parents)
    if spec.get("finally"):
        made.waves.append([one["name"] for one in spec["finally"]])
    return made


def _task(
    one: dict[str, Any], asked: Asked, params: parameters.Params, after: tuple[str, ...], final: bool
) -> PlannedTask:
    values = parameters.values(params)
    ref = one.get("taskRef") or one.get("pipelineRef") or {}
    spec = one.get("taskSpec") or next(
        (
            found.body.get("spec") or {}
            for found in asked.documents
            if found.kind == "Task" and found.name == ref.get("name")
        ),
        {},
    )
    what = ref.get("name") or (f"{ref['resolver']} resolver" if ref.get("resolver") else ref.get("kind") or "")
    return PlannedTask(one["name"], after, _steps(spec), _runs(one, values), _condition(one, values), final, str(what))


def _runs(one: dict[str, Any], values: Any) -> int:
    if not one.get("matrix"):
        return 1
    matrix = replace(one["matrix"], values)
    try:
        return 0 if "$(tasks." in str(matrix) else len(combinations(matrix))
    except RunError:
        return 0


def _condition(one: dict[str, Any], values: Any) -> str:
    """What is known of a task's when expressions: `skipped`, `runs`, or `depends on results`."""
    if not one.get("when"):
        return ""
    expressions = replace(one["when"], values)
    if "$(" in str(expressions):
        return "depends on results"
    try:
        return "runs" if whens.hold(expressions) else "skipped"
    except whens.WhenError as error:
        return str(error)


def _steps(spec: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    image = (spec.get("stepTemplate") or {}).get("image", "")
    return tuple(
        (step_name(step, index), str(step.get("image") or image or (step.get("ref") or {}).get("name", "")))
        for index, step in enumerate(spec.get("steps") or [])
    )


def _waves(parents: dict[str, tuple[str, ...]]) -> list[list[str]]:
    depth: dict[str, int] = {}
    left = dict(parents)
    while left:
        ready = [name for name, found in left.items() if all(one in depth for one in found)]
        for name in ready:
            depth[name] = 1 + max((depth[one] for one in left.pop(name)), default=-1)
    return [[name for name in parents if depth[name] == level] for level in range(max(depth.values(), default=-1) + 1)]


def _drawn(one: PlannedTask, *, last: bool) -> list[str]:
    branch, below = ("└─", "  ") if last else ("├─", "│ ")
    what = f" ({one.what})" if one.what else ""
    runs = "" if one.runs == 1 else f"  x{one.runs or '?'}"
    after = f"  after {', '.join(one.after)}" if one.after else ""
    condition = f"  [when: {one.condition}]" if one.condition else ""
    steps = [f"  {below}   {name}: {image}" for name, image in one.steps]
    return [f"  {branch} {one.name}{what}{runs}{after}{condition}", *steps]
