"""A small service for `bench.profiles.overhead`: orders in JSON, prices from SQLite, the profiler that is asked for."""

from __future__ import annotations

import sqlite3
import sys
import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pilothouse import profiler

_PRICES = sqlite3.connect(":memory:", check_same_thread=False)
_PRICES.execute("CREATE TABLE prices (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
_PRICES.executemany("INSERT INTO prices VALUES (?, ?, ?)", [(item, f"item {item}", item * 1.5) for item in range(1000)])
_kept: dict[int, object] = {}


async def checkout(request: Request) -> JSONResponse:
    """Look the prices up, add them, keep the last 5,000 orders."""
    order = await request.json()
    lines = []
    for line in order["lines"]:
        name, price = _PRICES.execute("SELECT name, price FROM prices WHERE id = ?", (line["item"],)).fetchone()
        lines.append({"name": name, "price": price, "amount": line["amount"], "sum": price * line["amount"]})
    receipt = {"lines": lines, "total": sum(line["sum"] for line in lines)}
    _kept[order["number"] % 5000] = receipt
    return JSONResponse(receipt)


async def profile(request: Request) -> JSONResponse:
    """Profile from now on by `with` (none, cpu, heap, both), and say what CPU time the process has had."""
    chosen = request.query_params["with"]
    profiler.stop()
    used = time.process_time()
    if chosen != "none":
        cpu, heap = chosen in ("cpu", "both"), chosen in ("heap", "both")
        profiler.start(sys.argv[2], service="bench", cpu=cpu, heap=heap)
    return JSONResponse(used)


app = Starlette(routes=[Route("/checkout", checkout, methods=["POST"]), Route("/profile", profile, methods=["POST"])])

if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", loop="asyncio", http="h11")
