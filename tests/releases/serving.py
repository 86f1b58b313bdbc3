"""A room's routes on a real port, without the rest of the process."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from pilothouse.server.guarding import HANDLERS


@contextlib.contextmanager
def serving(routes: Sequence[BaseRoute]) -> Iterator[str]:
    """Serve them; gives the address."""
    app = Starlette(routes=list(routes), exception_handlers=HANDLERS)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        thread.join()
