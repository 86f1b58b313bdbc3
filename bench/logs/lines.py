"""Lines made by the engine itself: forms of real services, with as much chance in them as real lines have.

A path is one of 60, an address one of 5,000, a duration and a size are skewed, an order number counts up; one line in
ten has an identifier of 16 hexadecimal digits. 400 streams, spread evenly over 24 hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.engine import Engine

STREAMS = 400
HOURS = 24
_LINE = """multiIf(
    number % 10 < 4, concat('{"level":"', ['info','info','info','warn','error'][r % 5 + 1], '","method":"',
        ['GET','GET','POST','PUT'][r % 4 + 1], '","path":"/api/v2/',
        ['orders','cart','stock','users','search'][r % 5 + 1],
        '/', toString(intDiv(r, 7) % 60), '","status":', toString([200,200,200,200,204,302,404,500,503][s % 9 + 1]),
        ',"duration_ms":', toString(intDiv(s % 1000 * (s % 37), 100)), ',"bytes":', toString(s % 47 * 113), '}'),
    number % 10 < 7, concat(['GET','POST'][r % 2 + 1], ' /catalog/', toString(r % 60), ' HTTP/1.1 status=',
        toString([200,200,200,301,404,502][s % 6 + 1]), ' bytes=', toString(s % 61 * 97),
        ' duration=', toString(s % 900),
        'ms client=10.', toString(r % 5000 % 50), '.', toString(r % 100),
        '.7 upstream=checkout.shop.svc.cluster.local'),
    number % 10 < 9, concat('level=info ts=', toString(toUnixTimestamp(at)),
        ' caller=handler.go:', toString(r % 300),
        ' msg="order accepted" order=', toString(1000000 + intDiv(number, 10)), ' items=', toString(r % 9),
        ' carrier=', ['dhl','ups','dpd'][r % 3 + 1]),
    concat('ERROR [http-nio-8080-exec-', toString(r % 64), '] com.example.shop.Handler - ',
        'java.net.SocketTimeoutException: Read timed out after ', toString(s % 5000), ' ms, trace ',
        lower(hex(cityHash64(number)))))"""


def fill(engine: Engine, count: int, now: int, text: Path) -> None:
    """`count` lines up to `now` (nanoseconds) into the tables, and the same lines into a text file."""
    text.unlink(missing_ok=True)
    engine.command(
        "INSERT INTO resources SELECT toUInt64(number + 1), 'logs', map('service.name', concat('service-', "
        "toString(number % 20)), 'k8s.pod.name', concat('pod-', toString(number))), 'ss', now64(3) - INTERVAL 2 DAY, "
        "now64(3) + INTERVAL 1 DAY FROM numbers({streams:UInt64})",
        {"streams": STREAMS},
    )
    step = HOURS * 3600 * 10**9 // count
    at_once = 2_000_000
    for first in range(0, count, at_once):
        rows = min(at_once, count - first)
        engine.command(
            "INSERT INTO logs (identity, time, observed_time, body, body_kind) SELECT cityHash64(number) % "
            f"{STREAMS} + 1, at, at, {_LINE} AS line, 's' FROM (SELECT number, cityHash64(number, 1) AS r, "
            "cityHash64(number, 2) AS s, fromUnixTimestamp64Nano({start:Int64} + toInt64(number) * {step:Int64}, "
            "'UTC') AS at FROM numbers({first:UInt64}, {rows:UInt64}))",
            {"first": first, "rows": rows, "start": now - count * step, "step": step},
        )
    engine.command("OPTIMIZE TABLE logs FINAL")
    engine.command(f"INSERT INTO FUNCTION file('{text}', 'LineAsString') SELECT body FROM logs")
