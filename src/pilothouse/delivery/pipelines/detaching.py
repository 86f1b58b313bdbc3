"""A run that goes on without its terminal: checked here, then handed to a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from pilothouse.delivery.pipelines import asking, checking
from pilothouse.delivery.pipelines.asking import Ask
from pilothouse.delivery.pipelines.local import Where


def detach(ask: Ask, where: Where) -> int:
    """Start a process that runs what is asked for; its number. Raises `PipelineError` for what cannot run."""
    found = asking.documents(ask.files)
    checking.require(found)
    asking.runs(ask, found)
    files = [str(file) for file in ask.files] or [place for place in asking.PLACES if os.path.exists(place)]
    command = [
        sys.executable,
        "-m",
        "pilothouse",
        "pipeline",
        "start",
        ask.wanted.removeprefix("Pipeline/"),
        "--showlog",
    ]
    for flag, values in (
        ("-f", files),
        ("-p", ask.params),
        ("-w", ask.workspaces),
        ("-l", ask.labels),
        ("--image", where.images),
    ):
        command += [part for value in values for part in (flag, value)]
    if ask.timeout:
        command += ["--pipeline-timeout", ask.timeout]
    if where.database:
        command += ["--database", where.database]
    command += ["--data", str(where.data), "--executor", where.executor, "--name", ask.name]
    where.data.mkdir(parents=True, exist_ok=True)
    with open(where.data / "pipelines.log", "ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
        )
    return process.pid
