"""Runs the demo from start to clean-up."""

import contextlib
import json
import shutil
import signal
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console

from pilothouse.demo.addresses import choose_addresses
from pilothouse.demo.failures import DemoError, Stopped
from pilothouse.demo.leash import Leash
from pilothouse.demo.narration import narrate
from pilothouse.demo.options import DemoOptions
from pilothouse.demo.planted import differences
from pilothouse.demo.processes import Processes
from pilothouse.demo.story import Story
from pilothouse.demo.system import System

AS_PLANTED, OTHERWISE, CANNOT_RUN = 0, 1, 3


def run(options: DemoOptions) -> int:
    """Returns the exit code; leaves no process and no temporary directory behind."""
    signals = Signals()
    try:
        _need_extra()
        if options.story == "loop" and not shutil.which("git"):
            raise DemoError("a change goes by git, and there is none: install git, or pilothouse demo --story release")
        with signals.caught(), _system(options, signals) as (system, data):
            told = _loop if options.story == "loop" else _release
            return told(system, options, data)
    except DemoError as error:
        _say(f"pilothouse demo: {error}", "red")
        return CANNOT_RUN
    except Stopped as stopped:
        _say("stopped; everything is cleaned up")
        return 128 + stopped.signal


def _release(system: System, options: DemoOptions, data: Path) -> int:
    """Two versions side by side."""
    with narrate() as narration:
        comparison = Story(system, narration, options).tell(data)
    code = _report(comparison, options, system.base_url)
    if not options.once:
        keep_serving(system)
    return code


def _loop(system: System, options: DemoOptions, data: Path) -> int:
    """From a pull request to a verdict in production."""
    from pilothouse.demo.loop.reporting import otherwise, print_outcomes
    from pilothouse.demo.loop.tale import Tale

    with narrate() as narration:
        tale = Tale(system, narration, options, system.scratch)
        outcomes = tale.tell(data)
    if options.output == "json":
        json.dump([one.to_json() for one in outcomes], sys.stdout, indent=2)
        print()  # noqa: T201
    else:
        print_outcomes(Console(), outcomes, system.base_url)
    differences = otherwise(outcomes, options.scenario)
    for difference in differences:
        _say(f"not as planted: {difference}", "yellow")
    if not options.once:
        keep_serving(system, tale.tick)
    return OTHERWISE if differences else AS_PLANTED


class Signals:
    """Remembers a signal to stop until the demo looks, so that none can hit between a start and its note.

    A second signal ends the demo at once; its watcher (`leash.py`) cleans up.
    """

    def __init__(self) -> None:
        self._caught = 0

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Catches SIGINT, SIGTERM and SIGHUP in this block (signals reach the main thread only)."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._note) for number in watched}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def check(self) -> None:
        """Raises Stopped when a signal came."""
        if self._caught:
            raise Stopped(self._caught)

    def _note(self, number: int, _frame: object) -> None:
        if self._caught:
            raise Stopped(number)
        self._caught = number


@contextlib.contextmanager
def _system(options: DemoOptions, signals: Signals) -> Iterator[tuple[System, Path]]:
    """The system, with nothing running yet, and Pilothouse's data directory."""
    addresses = choose_addresses(options)
    with (
        contextlib.closing(Leash()) as leash,
        tempfile.TemporaryDirectory(prefix="pilothouse-demo-", ignore_cleanup_errors=True) as scratch,
        Processes(Path(scratch), leash) as processes,
    ):
        leash.remove_afterwards(Path(scratch))

        def check() -> None:
            signals.check()
            processes.check()

        with contextlib.closing(System(processes, addresses, check)) as system:
            try:
                yield system, options.data or Path(scratch) / "data"
            finally:
                _say("ending all processes ...", "dim")


def _report(comparison: dict[str, Any], options: DemoOptions, base_url: str) -> int:
    if options.output == "json":
        json.dump(comparison, sys.stdout, indent=2)
        print()  # noqa: T201
    else:
        _print_verdict(comparison, base_url)
    if options.open_browser:
        webbrowser.open(base_url + comparison["page"])
    otherwise = differences(comparison, options.scenario)
    for difference in otherwise:
        _say(f"not as planted: {difference}", "yellow")
    return OTHERWISE if otherwise else AS_PLANTED


def _print_verdict(comparison: dict[str, Any], base_url: str) -> None:
    from pilothouse.releases.report import print_verdict

    print_verdict(Console(), comparison, base_url)


def keep_serving(system: System, tick: Callable[[], None] = lambda: None) -> None:
    """Until SIGINT or SIGTERM, which is the way to end it. Raises ChildDiedError when a process ends before."""
    _say(f"\nPilothouse goes on at {system.base_url}, and the shop with a few visitors. Ctrl-C ends both.", "bold")
    with contextlib.suppress(Stopped):
        while True:
            tick()
            system.pause(0.5)


def _need_extra() -> None:
    for module in ("aiohttp", "pyroscope", "opentelemetry.exporter.otlp", "opentelemetry.instrumentation.logging"):
        if not _installed(module):
            raise DemoError(f"the demo needs {module}: pip install 'pilothouse[demo]'")


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _say(text: str, style: str = "") -> None:
    Console(stderr=True).print(text, style=style, markup=False, highlight=False, soft_wrap=True)
