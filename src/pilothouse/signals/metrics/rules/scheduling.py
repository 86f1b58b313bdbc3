"""All groups at once: each is evaluated at its interval, a few at a time."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import structlog

from pilothouse.signals.metrics.promql.selection import Storage
from pilothouse.signals.metrics.rules.evaluating import Group, Keep
from pilothouse.signals.metrics.rules.notifying import told

if TYPE_CHECKING:
    from pilothouse.signals.metrics.prometheus.query_log import QueryLog
    from pilothouse.signals.metrics.rules.evaluating import Surroundings
    from pilothouse.signals.metrics.rules.notifying import Notifier

log = structlog.get_logger(__name__)

_AT_ONCE = 4
_TICK = 0.05


class _Planned:
    """A group with when it is due next."""

    def __init__(self, group: Group, is_new: bool) -> None:
        self.group, self.is_new = group, is_new
        seconds = group.interval / 1000
        digest = hashlib.sha256(f"{group.file};{group.group.name}".encode()).digest()
        offset = int.from_bytes(digest[:8], "big") % group.interval / 1000
        self.due = (time.time() - offset) // seconds * seconds + seconds + offset
        self.running = threading.Lock()


class RuleScheduler:
    """Evaluates groups in threads of its own."""

    def __init__(
        self, storage: Storage, keep: Keep, notifier: Notifier, around: Callable[[], Surroundings], query_log: QueryLog
    ) -> None:
        self._query_log = query_log
        self._storage, self._keep, self._notifier, self._around = storage, keep, notifier, around
        self._planned: list[_Planned] = []
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="rules")
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)

    def start(self) -> None:
        """Begin, with no groups yet."""
        self._thread.start()

    @property
    def groups(self) -> list[Group]:
        """The groups, by file and name."""
        return sorted((one.group for one in self._planned), key=lambda group: (group.file, group.group.name))

    def apply(self, groups: Sequence[Group]) -> None:
        """Evaluate these from now on; alerts of groups that stay go on."""
        before = {(one.group.file, one.group.group.name): one for one in self._planned}
        planned = []
        for group in groups:
            known = before.pop((group.file, group.group.name), None)
            if known is not None and known.group.group == group.group and known.group.interval == group.interval:
                planned.append(known)
                continue
            if known is not None:
                with known.running:
                    group.take_over(known.group)
            planned.append(_Planned(group, known is None))
        self._planned = planned
        for gone in before.values():
            with gone.running:
                gone.group.end(int(time.time() * 1000), self._keep)

    def close(self) -> None:
        """Finish what runs and stop."""
        self._stop.set()
        self._thread.join(timeout=10)
        self._pool.shutdown()

    def _run(self) -> None:
        while not self._stop.wait(_TICK):
            now = time.time()
            for one in list(self._planned):
                if one.due > now or one.running.locked():
                    continue
                seconds = one.group.interval / 1000
                due = one.due + (now - one.due) // seconds * seconds
                one.due = due + seconds
                self._pool.submit(self._evaluate, one, due)

    def _evaluate(self, one: _Planned, at: float) -> None:
        with one.running:
            try:
                one.group.evaluate(self._storage, round(at * 1000), self._keep, one.is_new, self._query_log)
                one.is_new = False
                self._notify(one.group, at)
            except Exception:
                log.exception("a rule group failed", group=one.group.group.name, file=one.group.file)

    def _notify(self, group: Group, at: float) -> None:
        around = self._around()
        alerts: list[dict[str, Any]] = []
        for state in group.rules:
            if state.alerting is not None:
                alerts += [
                    told(alert, state.rule.expr, around.external_labels, around.external_url)
                    for alert in state.alerting.to_send(at, group.interval / 1000)
                ]
        if alerts:
            self._notifier.send(alerts)
