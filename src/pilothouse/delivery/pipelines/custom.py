"""Custom tasks that run in this process: wait for a time, ask a person, ask an address.

A pipeline refers to them by `taskRef: {apiVersion: pilothouse.dev/v1, kind: Wait}`. On a cluster, Tekton hands the same
objects to whatever controller watches them.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from pilothouse.delivery.pipelines import durations
from pilothouse.delivery.pipelines.conditions import Condition
from pilothouse.delivery.pipelines.runs.request import CustomRun
from pilothouse.delivery.pipelines.runs.running import CustomHandler
from pilothouse.delivery.pipelines.tasks.control import Control

VERSION = "pilothouse.dev/v1"


async def wait(run: CustomRun, control: Control) -> None:
    """`Wait`: for the parameter `duration`."""
    try:
        length = durations.seconds(_param(run, "duration") or "0")
    except ValueError as error:
        _end(run, "False", "Failed", str(error))
        return
    limit = durations.seconds(run.spec.get("timeout") or "1h")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(length, limit)):
            await control.wait()
        _end(run, "False", "CustomRunCancelled", control.message)
        return
    if length > limit:
        _end(run, "False", "CustomRunTimedOut", f"CustomRun failed to finish within {durations.written(limit)}")
    else:
        _end(run, "True", "Succeeded", f"waited {durations.written(length)}")


async def fetch(run: CustomRun, control: Control) -> None:
    """`HTTP`: a request to `url` (GET, or `method` with `body`); fails unless the status is below 400."""
    import httpx

    try:
        async with httpx.AsyncClient(timeout=30, follow_redirects=True) as client:
            answer = await client.request(
                _param(run, "method") or "GET", _param(run, "url"), content=_param(run, "body")
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        _end(run, "False", "Failed", f"{_param(run, 'url')}: {error or type(error).__name__}")
        return
    run.status["results"] = [
        {"name": "status", "value": str(answer.status_code)},
        {"name": "body", "value": answer.text[:4096]},
    ]
    if answer.status_code < 400:
        _end(run, "True", "Succeeded", f"answered {answer.status_code}")
    else:
        _end(run, "False", "Failed", f"answered {answer.status_code}")


def _param(run: CustomRun, name: str) -> str:
    return next((str(one["value"]) for one in run.spec.get("params") or [] if one["name"] == name), "")


def _end(run: CustomRun, status: str, reason: str, message: str) -> None:
    run.status["conditions"] = [Condition(status, reason, message).to_json()]


HANDLERS: dict[tuple[str, str], CustomHandler | Any] = {(VERSION, "Wait"): wait, (VERSION, "HTTP"): fetch}
