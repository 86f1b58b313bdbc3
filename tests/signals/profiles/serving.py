"""A real server for the profiles' routes alone: uvicorn on a free port, journal, flushing, embedded
engine.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

from pilothouse.engine import Engine
from pilothouse.server.guarding import HANDLERS
from pilothouse.signals.flushing import FlushLimits, Intake, Storing
from pilothouse.signals.profiles import api
from pilothouse.signals.profiles.storing import MARKED
from pilothouse.signals.receive import pyroscope


@dataclass
class House:
    """What a test talks to."""

    address: str
    engine: Engine
    intake: Intake
    client: httpx.Client
    directory: Path

    def get(self, path: str, **parameters: Any) -> Any:
        response = self.client.get(path, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def wait_for(self, service: str, type: str, profiles: int = 1) -> dict[str, Any]:
        """The row of /api/profiles/types, once that many profiles are there."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found = self.get("/api/profiles/types", service=service, since="3h")["types"]
            for row in found:
                if row["type"] == type and row["profiles"] >= profiles:
                    return row
            time.sleep(0.02)
        raise AssertionError(f"no {profiles} profiles of {service} {type}: {found}")


class running:  # noqa: N801 - a context manager that reads as a word
    """`with running(directory, engine) as house:`"""

    def __init__(self, directory: Path, engine: Engine) -> None:
        self._directory, self._engine = directory, engine

    def __enter__(self) -> House:
        engine = self._engine
        intake = Intake(engine, self._directory / "journal", {"profiles": Storing(MARKED)}, FlushLimits(interval=0.02))
        intake.start()
        app = Starlette(routes=[*pyroscope.routes(intake), *api.routes(engine)], exception_handlers=HANDLERS)
        listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        self._listening = listening
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.house = House(address, engine, intake, httpx.Client(base_url=address, timeout=60), self._directory)
        return self.house

    def __exit__(self, *_: object) -> None:
        self.house.client.close()
        self._server.should_exit = True
        self._thread.join(60)
        self._listening.close()
        self.house.intake.close()
