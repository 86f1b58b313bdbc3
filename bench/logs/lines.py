"""Lines made by the engine itself: forms of real services, with as much chance in them as real lines have.

A stream is one pod and writes what its kind of service writes: an ingress its access log (with a request id of 32
hexadecimal digits on each line, as ingress-nginx has by default), a Go service JSON (half of it with a trace id), a
Spring service its own layout, a worker logfmt, a proxy what the probes ask. A request leaves three lines in its pod,
some milliseconds apart and with one trace id; order numbers count up with time; some clients come much more often than
others. 400 streams, some twenty times as busy as others, over 24 hours. Times are in nanoseconds for half of the
streams, in milliseconds for the others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.engine import Engine

STREAMS = 400
HOURS = 24
_LINES = 3
_AT_ONCE = 1_500_000
# What a place in a form is filled with; `h(n)` is the line's n-th hash.
_PLACES = {
    "ip": "IPv4NumToString(toUInt32(167772160 + cityHash64(least(h(1) % 20000, bitShiftRight(h(1), 24) % 20000, bitShiftRight(h(1), 40) % 20000)) % 16777216))",  # noqa: E501
    "node": "concat('10.244.', toString(h(2) % 12), '.', toString(bitShiftRight(h(2), 8) % 40))",
    "clf": "formatDateTime(at, '%d/%b/%Y:%H:%i:%S +0000')",
    "iso": "concat(formatDateTime(at, '%Y-%m-%dT%H:%i:%S.'), leftPad(toString(intDiv(since, 1000000) % 1000), 3, '0'), 'Z')",  # noqa: E501
    "unix": "concat(toString(intDiv(since, 1000000000)), '.', leftPad(toString(intDiv(since, 1000) % 1000000), 6, '0'))",  # noqa: E501
    "method": "['GET','GET','GET','GET','GET','POST','POST','PUT'][h(3) % 8 + 1]",
    "route": "['orders','cart','stock','users','search','products','reviews','sessions','payments','invoices'][least(h(4) % 10, bitShiftRight(h(4), 8) % 10) + 1]",  # noqa: E501
    "id": "toString(1000000 + intDiv(number, 9) - least(h(5) % 20000, bitShiftRight(h(5), 16) % 20000))",
    "status": "toString([200,200,200,200,200,200,200,200,201,204,301,304,400,404,404,500,502,503][least(h(6) % 18, bitShiftRight(h(6), 8) % 18) + 1])",  # noqa: E501
    "bytes": "toString(intDiv((h(7) % 1000) * (bitShiftRight(h(7), 16) % 1000), 17))",
    "ms": "toString(intDiv((h(8) % 300) * (bitShiftRight(h(8), 16) % 300), 90))",
    "seconds": "concat('0.', leftPad(toString(intDiv((h(8) % 300) * (bitShiftRight(h(8), 16) % 300), 90) % 1000), 3, '0'))",  # noqa: E501
    "agent": "['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36','Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1','Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0','okhttp/4.12.0','python-requests/2.32.5','shop-android/7.3.1 (Linux; Android 15; Pixel 8)'][least(h(9) % 6, bitShiftRight(h(9), 8) % 6) + 1]",  # noqa: E501
    "hex16": "lower(hex(cityHash64(request, 1)))",
    "hex32": "concat(lower(hex(cityHash64(request, 1))), lower(hex(cityHash64(request, 2))))",
    "level": "['info','info','info','info','info','info','debug','debug','warn','error'][h(12) % 10 + 1]",
    "file": "['handler.go:118','handler.go:164','middleware.go:42','client.go:231','cache.go:77'][h(13) % 5 + 1]",
    "small": "toString(h(13) % 9 + 1)",
    "thread": "toString(h(14) % 48)",
    "number": "toString(intDiv(number, 400) + h(15) % 50)",
    "cents": "concat(toString(h(13) % 400), '.', leftPad(toString(bitShiftRight(h(13), 16) % 100), 2, '0'))",
    "carrier": "['dhl','ups','dpd','gls'][h(14) % 4 + 1]",
    "class": "['orders.OrderService','orders.OrderRepository','cart.CartController','stock.Reservations'][h(12) % 4 + 1]",  # noqa: E501
}
# Kinds of services; each form with how often it is written, of a thousand.
_KINDS: tuple[tuple[tuple[int, str], ...], ...] = (
    (
        (1000, '{ip} - - [{clf}] "{method} /api/v2/{route}/{id} HTTP/1.1" {status} {bytes} "https://shop.example.com/{route}" "{agent}" 1{small}2 {seconds} [shop-checkout-8080] [] {node}:8080 {bytes} {seconds} {status} {hex32}'),  # noqa: E501
    ),
    (
        (420, '{"level":"{level}","ts":{unix},"caller":"http/{file}","msg":"request finished","method":"{method}","path":"/api/v2/{route}/{id}","status":{status},"duration_ms":{ms},"bytes":{bytes},"trace_id":"{hex32}"}'),  # noqa: E501
        (420, '{"level":"{level}","ts":{unix},"caller":"http/{file}","msg":"request finished","method":"{method}","path":"/api/v2/{route}","status":{status},"duration_ms":{ms},"bytes":{bytes}}'),  # noqa: E501
        (140, '{"level":"debug","ts":{unix},"caller":"cache/{file}","msg":"cache lookup","key":"{route}:{id}","hit":true,"took_us":{ms}}'),  # noqa: E501
        (20, '{"level":"error","ts":{unix},"caller":"http/{file}","msg":"upstream request failed","error":"dial tcp {node}:8080: connect: connection refused","path":"/api/v2/{route}/{id}","retry":{small}}'),  # noqa: E501
    ),
    (
        (600, "{iso}  INFO 1 --- [nio-8080-exec-{thread}] com.example.shop.{class} : Order {id} accepted: {small} items, total {cents} EUR, carrier {carrier}"),  # noqa: E501
        (250, "{iso} DEBUG 1 --- [nio-8080-exec-{thread}] org.hibernate.SQL : select o.id, o.customer_id, o.total, o.created_at from orders o where o.customer_id=? and o.id > {id} order by o.created_at desc limit 50"),  # noqa: E501
        (120, "{iso}  WARN 1 --- [nio-8080-exec-{thread}] com.example.shop.{class} : attempt {small} of 5 for http://stock.shop.svc.cluster.local:8080/api/v2/{route}/{id} after 503 Service Unavailable, backing off {ms} ms"),  # noqa: E501
        (30, "{iso} ERROR 1 --- [nio-8080-exec-{thread}] com.example.shop.{class} : java.net.SocketTimeoutException: Read timed out after {ms} ms\\n\\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:288)\\n\\tat java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:314)\\n\\tat java.base/java.net.Socket$SocketInputStream.read(Socket.java:1099)\\n\\tat com.example.shop.{class}.call(Remote.java:{small}1)"),  # noqa: E501
    ),
    (
        (700, 'ts={iso} level={level} component=consumer topic=orders.v2 partition={small} offset={number} msg="message processed" order={id} took={ms}ms'),  # noqa: E501
        (200, 'ts={iso} level=debug component=consumer topic=orders.v2 partition={small} offset={number} msg="commit" lag={small}'),  # noqa: E501
        (100, 'ts={iso} level=info component=mailer msg="mail sent" template=order-{carrier} order={id} message_id={hex16} took={ms}ms'),  # noqa: E501
    ),
    (
        (600, '{node} - - [{clf}] "GET /healthz HTTP/1.1" 200 2 "-" "kube-probe/1.33"'),
        (400, "{iso} info  envoy http: [C{number}] {method} /api/v2/{route} {status} {bytes}b {ms}ms upstream={node}:8080"),  # noqa: E501
    ),
)  # fmt: skip


def _form(text: str) -> str:
    """A form as an SQL expression."""
    parts = re.split(r"\{(" + "|".join(_PLACES) + r")\}", text)
    pieces = [
        _PLACES[part] if place % 2 else "'" + part.replace("'", "''") + "'" for place, part in enumerate(parts) if part
    ]
    return f"concat({', '.join(pieces)}, '')"


def _line() -> str:
    """The line of a row: by its stream's kind, then by its hash."""
    branches = []
    for number, kind in enumerate(_KINDS):
        reached = 0
        for share, form in kind:
            reached += share
            branches += [
                f"identity % {len(_KINDS)} = {number} AND cityHash64(number, 0) % 1000 < {reached}",
                _form(form),
            ]
    hashed = re.sub(r"\bh\((\d+)\)", r"cityHash64(number, \1)", ", ".join(branches))
    return f"multiIf({hashed}, '')"


def fill(engine: Engine, count: int, now: int, text: Path) -> None:
    """`count` lines up to `now` (nanoseconds) into the tables, and the same lines into a text file."""
    text.unlink(missing_ok=True)
    engine.command(
        "INSERT INTO resources SELECT toUInt64(number + 1), 'logs', map('service.name', concat('service-', "
        "toString(number % 20)), 'k8s.namespace.name', 'shop', 'k8s.pod.name', concat('pod-', toString(number))), "
        "'sss', now64(3) - INTERVAL 2 DAY, now64(3) + INTERVAL 1 DAY FROM numbers({streams:UInt64})",
        {"streams": STREAMS},
    )
    step = HOURS * 3600 * 10**9 // count
    for first in range(0, count, _AT_ONCE):
        engine.command(
            "INSERT INTO logs (identity, time, observed_time, body, body_kind) "
            f"SELECT identity, at, at, {_line()}, 's' "
            f"FROM (SELECT number, intDiv(number, {_LINES}) AS request, {_STREAM} AS identity, {{start:Int64}} "
            f"+ toInt64(request * {_LINES} * {{step:UInt64}} + cityHash64(request, 99) % ({_LINES} * {{step:UInt64}}) "
            f"+ number % {_LINES} * 1500000 + cityHash64(number, 99) % 1500000) AS exact, "
            "if(identity % 2, exact, intDiv(exact, 1000000) * 1000000) AS since, "
            "fromUnixTimestamp64Nano(since, 'UTC') AS at FROM numbers({first:UInt64}, {rows:UInt64})) "
            "SETTINGS max_insert_threads = 2, max_threads = 2",
            {"first": first, "rows": min(_AT_ONCE, count - first), "start": now - count * step, "step": step},
        )
    engine.command("OPTIMIZE TABLE logs FINAL")
    engine.command(f"INSERT INTO FUNCTION file('{text}', 'LineAsString') SELECT replaceAll(body, '\\n', ' ') FROM logs")


# A few streams are busy, most are not: the least of two numbers, with a floor for all.
_STREAM = f"least(cityHash64(request, 97) % {STREAMS}, cityHash64(request, 98) % {STREAMS}) + 1"
