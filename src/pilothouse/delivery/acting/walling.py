"""Jobs of pull requests behind walls: in a sandbox without a network, whatever else runs here runs as before."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pilothouse.delivery.pipelines.engine import Options, Run

log = structlog.get_logger(__name__)
Prepare = Callable[["Run", "Options"], "Options"]


def walled(prepare: Prepare) -> Prepare:
    """The same, with a sandbox for the runs that `prepare` changes; where there is none, the log says so once."""
    if not shutil.which("bwrap"):
        log.warning("there is no bubblewrap on this machine: jobs of pull requests run as plain processes")
        return prepare
    from pilothouse.delivery.pipelines.executors import launcher

    sandbox = launcher("sandbox", network=False)

    def prepared(run: Run, options: Options) -> Options:
        made = prepare(run, options)
        return made if made is options else replace(made, launcher=sandbox)

    return prepared
