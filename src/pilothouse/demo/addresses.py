"""Addresses to listen on."""

import socket
from contextlib import ExitStack

from pilothouse.demo.failures import AddressTakenError
from pilothouse.demo.options import HTTP, OTLP_GRPC, OTLP_HTTP, DemoOptions

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - not bound here, only understood


def choose_addresses(options: DemoOptions) -> tuple[str, str, str]:
    """Free addresses for HTTP, OTLP over gRPC and OTLP over HTTP. Raises AddressTakenError.

    All are held until the last one is chosen, so that they differ.
    """
    wanted = [(options.http, HTTP), (options.otlp_grpc, OTLP_GRPC), (options.otlp_http, OTLP_HTTP)]
    with ExitStack() as held:
        http, grpc, otlp = (_choose(address, default, held) for address, default in wanted)
    return http, grpc, otlp


def url(address: str) -> str:
    """Where a client on this machine reaches a listener on the address."""
    host, port = _split(address)
    host = ANY.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _choose(address: str, default: str, held: ExitStack) -> str:
    host, port = _split(address)
    try:
        listening = _bind(host, port)
    except OSError as error:
        if address != default:
            raise AddressTakenError(f"cannot listen on {address}: {error.strerror or error}") from error
        listening = _bind(host, 0)
    held.enter_context(listening)
    bound = listening.getsockname()[1]
    return f"[{host}]:{bound}" if ":" in host else f"{host}:{bound}"


def _split(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise AddressTakenError(f"{address!r} is not an address: write HOST:PORT")
    return host.strip("[]"), int(port)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1)
    except OSError:
        listening.close()
        raise
    return listening
