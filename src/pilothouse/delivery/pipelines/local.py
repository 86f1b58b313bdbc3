"""Runs for a person at a terminal: files in, live output, exit code out; state in the data directory."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilothouse.delivery.pipelines import asking, checking, executors
from pilothouse.delivery.pipelines.asking import Ask, Asked
from pilothouse.delivery.pipelines.engine import Options, Run
from pilothouse.delivery.pipelines.events import Event, Listener
from pilothouse.delivery.pipelines.runs.request import PipelineRun
from pilothouse.delivery.pipelines.service import Service
from pilothouse.delivery.pipelines.state.store import RunStore, open_store

if TYPE_CHECKING:
    from pilothouse.delivery.pipelines.executors.kubernetes import KubernetesExecutor
    from pilothouse.kube import Cluster


@dataclass(slots=True)
class Where:
    """Where and how runs run; see the command line's options."""

    data: Path
    database: str = ""
    executor: str = "process"
    images: Sequence[str] = ()
    passed: Sequence[str] = ()
    jobs: int = 64
    strict: bool = False
    keep: bool = False
    breakpoints: bool = False
    network: bool = True
    cache: bool = False
    telemetry: str = ""
    secrets: Sequence[bytes] = ()
    listeners: list[Listener] = field(default_factory=list)

    def options(self) -> Options:
        """For the engine. Raises `ResolveError` where the executor cannot be had."""
        from pilothouse.delivery.pipelines.resolvers import standard

        launcher = executors.launcher(self.executor, self.images, self.passed, network=self.network)
        return Options(
            data=self.data / "pipelines", launcher=launcher, listener=_all(self.listeners), resolvers=standard(),
            custom=_custom(), secrets=self.secrets, jobs=self.jobs, strict=self.strict, keep=self.keep,
            breakpoints=self.breakpoints,
        )  # fmt: skip


def run_all(ask: Ask, where: Where, told: Callable[[Asked], None]) -> list[tuple[Run, list[dict[str, Any]]]]:
    """Run what is asked for, one after the other; each run with its TaskRuns as objects.

    Raises `PipelineError` for what cannot be run at all. Ctrl-C cancels the run; a second one at once.
    """
    found = asking.documents(ask.files)
    checking.require(found)
    asked = asking.runs(ask, found)
    if where.executor == "kubernetes":
        return _on_cluster(asked, where, told)
    store = open_store(where.data, where.database)
    try:
        done = []
        for one in asked:
            told(one)
            run = asyncio.run(_run(one, where, store))
            done.append((run, objects(run)))
        return done
    finally:
        store.close()


def _on_cluster(
    asked: Sequence[Asked], where: Where, told: Callable[[Asked], None]
) -> list[tuple[Run, list[dict[str, Any]]]]:
    """The same on the cluster of the kubeconfig, which keeps the state itself."""
    from pilothouse.delivery.pipelines.errors import ResolveError
    from pilothouse.delivery.pipelines.executors.kubernetes import KubernetesExecutor
    from pilothouse.kube import Cluster, KubeError

    done = []
    try:
        with Cluster.connect() as cluster:
            executor = KubernetesExecutor(cluster, listener=_all(where.listeners))
            if not executor.has_tekton:
                return [_in_pods(one, where, cluster, executor, told) for one in asked]
            for one in asked:
                told(one)
                found = executor.run(one.document, one.documents, one.run)
                one.run.status = found.body.get("status") or {}
                done.append((one.run, found.task_runs))
    except KubeError as error:
        raise ResolveError(str(error), "CreateRunFailed") from None
    return done


def _in_pods(
    one: Asked, where: Where, cluster: Cluster, executor: KubernetesExecutor, told: Callable[[Asked], None]
) -> tuple[Run, list[dict[str, Any]]]:
    """A run whose tasks are Pods, on a cluster without Tekton; this process keeps its state and schedules it."""
    from pilothouse.delivery.pipelines.executors.podding import PodRunner

    one.notes.append("the cluster has no Tekton: each task is a Pod, and this command schedules them")
    told(one)
    executor.supply(one.documents, ("ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim"))
    claims = executor.claim(one.document, one.run.uid)
    store = open_store(where.data, where.database)
    options = replace(where, executor="process").options()
    options = replace(options, run_task=PodRunner(cluster), directory="/workspace")
    service = Service(store, options)

    async def go() -> Run:
        with cancelling(service, one.run):
            return await service.run(one.document, one.documents, run=one.run)

    try:
        run = asyncio.run(go())
        return run, objects(run)
    finally:
        store.close()
        executor.unclaim(claims)


async def _run(one: Asked, where: Where, store: RunStore) -> Run:
    options = replace(where.options(), directory=one.directory if where.executor == "process" else "/workspace")
    if where.cache:
        from pilothouse.delivery.pipelines.caching import Cache

        options = replace(options, cache=Cache(store, everything=True))
    service = Service(store, options)
    with cancelling(service, one.run):
        return await service.run(one.document, one.documents, run=one.run)


def resume_run(name: str, where: Where) -> Run:
    """Run again what failed in a run. Raises `PipelineError`."""
    from pilothouse.delivery.pipelines.listing import find

    store = open_store(where.data, where.database)

    async def again() -> Run:
        return await Service(store, where.options()).resume(find(store, name).uid)

    try:
        return asyncio.run(again())
    finally:
        store.close()


def recover_runs(where: Where) -> list[tuple[str, str]]:
    """Take up runs of processes that are gone; each with what became of it."""
    store = open_store(where.data, where.database)

    async def recover() -> list[tuple[str, str]]:
        taken = await Service(store, where.options()).recover()
        return [(one.name, found.reason if (found := store.find(one.uid)) else "gone") for one in taken]

    try:
        return asyncio.run(recover())
    finally:
        store.close()


class cancelling:  # noqa: N801  (a context manager that reads as a verb)
    """Ctrl-C and SIGTERM ask the run to end, first with its finally tasks, the second time without."""

    def __init__(self, service: Service, run: Run) -> None:
        self._service = service
        self._run = run
        self._times = 0

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._ask)

    def __exit__(self, *error: object) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    def _ask(self) -> None:
        self._times += 1
        how = "CancelledRunFinally" if self._times == 1 and isinstance(self._run, PipelineRun) else "Cancelled"
        self._service.cancel(self._run.uid, how)


def objects(run: Run) -> list[dict[str, Any]]:
    """The TaskRuns of a run, or the run itself."""
    return [one.to_object() for one in run.task_runs()] if isinstance(run, PipelineRun) else [run.to_object()]


def _all(listeners: Iterable[Listener]) -> Listener:
    found = list(listeners)

    def tell(event: Event) -> None:
        for listener in found:
            listener(event)

    return tell


def _custom() -> dict[tuple[str, str], Any]:
    from pilothouse.delivery.pipelines.custom import HANDLERS

    return HANDLERS
