"""A door in the wall of a network namespace: what knocks on a port outside is led to a port inside.

Run as a program of its own, with the standard library alone: `relaying.py PID PORT SOCKET PIPE`. The listening socket
SOCKET was made outside and is inherited, so that it stays outside; the process then joins the network namespace of
process PID, so that what it connects to is inside. It ends when the other end of PIPE is closed, which the kernel does
when the server is gone, however it went.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import socket
import sys

_NEW_USER, _NEW_NETWORK = 0x1000_0000, 0x4000_0000
# linux/nsfs.h: the user namespace that owns a namespace.
_GET_OWNER = 0xB701
_CHUNK = 1 << 16
_MOST_CONNECTIONS = 256


def join(pid: int) -> None:
    """Move this process into the network namespace of another. Raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    network = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if libc.setns(network, _NEW_NETWORK) == 0:
            return
        # Without privileges: its owner's user namespace first, in which we have them.
        owner = fcntl.ioctl(network, _GET_OWNER)
        try:
            for namespace, kind in ((owner, _NEW_USER), (network, _NEW_NETWORK)):
                if libc.setns(namespace, kind) != 0:
                    number = ctypes.get_errno()
                    raise OSError(number, os.strerror(number))
        finally:
            os.close(owner)
    finally:
        os.close(network)


async def relay(listening: socket.socket, port: int, pipe: int) -> None:
    """Lead connections inside until the pipe's other end is closed."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(pipe, lambda: None if os.read(pipe, 1) else over.set())
    free = asyncio.Semaphore(_MOST_CONNECTIONS)

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with free:
            with contextlib.suppress(OSError):
                await _led(reader, writer, port)
            writer.close()

    server = await asyncio.start_server(met, sock=listening, limit=_CHUNK)
    await over.wait()
    server.close()


async def _led(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    try:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        inner_reader, inner_writer = await asyncio.open_connection("::1", port)
    try:
        await asyncio.gather(_poured(reader, inner_writer), _poured(inner_reader, writer))
    finally:
        inner_writer.close()


async def _poured(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()


def main(arguments: list[str]) -> None:
    """The program."""
    pid, port, descriptor, pipe = map(int, arguments)
    listening = socket.socket(fileno=descriptor)
    listening.setblocking(False)
    join(pid)
    asyncio.run(relay(listening, port, pipe))
    # Connections that are open still would be waited for; the preview is gone, and so are we.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
