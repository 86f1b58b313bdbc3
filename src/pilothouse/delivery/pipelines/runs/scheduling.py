"""Which task of a pipeline runs next: the rules of Tekton's reconciler, without any input or output.

Source: `pkg/reconciler/pipelinerun/resources/{pipelinerunresolution,pipelinerunstate}.go`. The engine tells how tasks
end (`settle`) and asks what to start (`advance`); `examine` says what a task's expressions and results make of it.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable

from pilothouse.delivery.pipelines.graph import Graph

STOPPING = "PipelineRun was stopping"
CANCELLED = "PipelineRun was gracefully cancelled"
STOPPED = "PipelineRun was gracefully stopped"
WHEN = "When Expressions evaluated to false"
PARENT = "Parent Tasks were skipped"
MISSING = "Results were missing"
PIPELINE_TIMEOUT = "PipelineRun timeout has been reached"
TASKS_TIMEOUT = "PipelineRun Tasks timeout has been reached"
FINALLY_TIMEOUT = "PipelineRun Finally timeout has been reached"
EMPTY_MATRIX = "Matrix Parameters have an empty array"
NO_INCLUDE = "Matrix Include When Expressions evaluated to false"
_TIMEOUTS = (PIPELINE_TIMEOUT, TASKS_TIMEOUT, FINALLY_TIMEOUT)

Examine = Callable[[str], str]


class State(enum.Enum):
    """Where a task is. IGNORED failed and the pipeline goes on (`onError: continue`)."""

    WAITING = "Waiting"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    IGNORED = "Ignored"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"


_OVER = (State.SUCCEEDED, State.IGNORED, State.SKIPPED)


class Schedule:
    """The states of all tasks of one PipelineRun."""

    def __init__(
        self, graph: Graph, final: list[str], examine: Examine, before_finally: Callable[[], None] = lambda: None
    ) -> None:
        """`examine(name)` gives `WHEN`, `MISSING`, `EMPTY_MATRIX`, `NO_INCLUDE` or an empty text; it may raise.

        `before_finally` is called once, when all tasks are over and no finally task was examined yet.
        """
        self._before_finally = before_finally
        self._graph = graph
        self._examine = examine
        self._final = final
        self.states = dict.fromkeys([*graph.parents, *final], State.WAITING)
        self.skipped: dict[str, str] = {}
        self._blocked = {name: len(parents) for name, parents in graph.parents.items()}
        self._candidates = list(graph.roots())
        self._open = len(graph.parents)
        self._running = 0
        self._stop = ""
        self.in_finally = False
        self._finals_started = False

    def stop(self, reason: str) -> None:
        """Start nothing more, for one of the reasons above; `""` with no finally tasks either is `halt`."""
        self._stop = self._stop or reason

    def halt(self, reason: str) -> None:
        """Start nothing more, neither tasks nor finally tasks."""
        self._stop = reason
        self._finals_started = True

    def settle(self, name: str, state: State) -> None:
        """A started task ended."""
        self.states[name] = state
        self._running -= 1
        if name in self._blocked:
            self._over(name, state)
            if state in (State.FAILED, State.CANCELLED):
                self.stop(STOPPING)

    def advance(self) -> list[str]:
        """The tasks to start now; those that are skipped are settled on the way."""
        start: list[str] = []
        if self._stop and not self.in_finally:
            self._skip_waiting()
        while self._candidates and not self._stop:
            name = self._candidates.pop(0)
            reason = self._reason(name)
            if reason:
                self._skip(name, reason)
            else:
                start.append(self._started(name))
        if not start and self.drained:
            start += self._start_final()
        return start

    @property
    def drained(self) -> bool:
        """Whether all tasks are over and the finally tasks have not begun."""
        return not self._running and not self._open and not self._finals_started

    @property
    def done(self) -> bool:
        """Whether nothing runs and nothing more will."""
        return not self._running and self._finals_started

    def counts(self) -> Counter[State]:
        """How many tasks are in each state."""
        return Counter(self.states.values())

    def timed_out(self) -> int:
        """How many tasks were skipped because time was over."""
        return sum(reason in _TIMEOUTS for reason in self.skipped.values())

    def _started(self, name: str) -> str:
        self.states[name] = State.RUNNING
        self._running += 1
        return name

    def _reason(self, name: str) -> str:
        found = self._examine(name)
        if found == WHEN:
            return WHEN
        parents = self._graph.parents[name]
        if any(self.skipped.get(parent, WHEN) != WHEN for parent in parents):
            return PARENT
        return found

    def _skip(self, name: str, reason: str) -> None:
        self.states[name] = State.SKIPPED
        self.skipped[name] = reason
        if name in self._blocked:
            self._over(name, State.SKIPPED)

    def _over(self, name: str, state: State) -> None:
        self._open -= 1
        if state not in _OVER:
            return
        for child in self._graph.children[name]:
            self._blocked[child] -= 1
            if not self._blocked[child]:
                self._candidates.append(child)

    def _skip_waiting(self) -> None:
        self._candidates.clear()
        for name in self._graph.parents:
            if self.states[name] is State.WAITING:
                self.states[name] = State.SKIPPED
                self.skipped[name] = self._stop
                self._open -= 1

    def _start_final(self) -> list[str]:
        self._finals_started = self.in_finally = True
        self._before_finally()
        start: list[str] = []
        for name in self._final:
            reason = self._examine(name)
            if reason:
                self._skip(name, reason)
            else:
                start.append(self._started(name))
        return start
