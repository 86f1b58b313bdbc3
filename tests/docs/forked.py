"""`pilothouse` for a shell, in processes that need no start (see `tests.forking`)."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.forking import fork

_LONGEST = 1 << 20
# Hands over arguments, directory, environment and open files, passes on what would end it, and ends as the command did.
_SHIM = """#!{python} -IS
import contextlib, json, os, signal, socket, sys
there = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
there.connect({address!r})
said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(there, [said], [1, 2])
child = int(there.recv(20))
def pass_on(number, frame):
    with contextlib.suppress(ProcessLookupError):  # it may just have ended by itself
        os.kill(child, number)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, pass_on)
os._exit(int(there.recv(20)))
"""


@contextmanager
def command_on_path(directory: Path) -> Iterator[Path]:
    """A directory to put first on the PATH, with `pilothouse` in it."""
    address, programs = directory / "forked.sock", directory / "bin"
    programs.mkdir()
    shim = programs / "pilothouse"
    shim.write_text(_SHIM.format(python=sys.executable, address=str(address)))
    shim.chmod(0o755)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(str(address))
        listening.listen()
        threading.Thread(target=_listen, args=(listening,), daemon=True).start()
        yield programs
        listening.shutdown(socket.SHUT_RDWR)


def _listen(listening: socket.socket) -> None:
    # Shut down, it has no more to accept.
    with suppress(OSError):
        while True:
            there, _ = listening.accept()
            threading.Thread(target=_answer, args=(there,), daemon=True).start()


def _answer(there: socket.socket) -> None:
    with there, suppress(OSError):
        said, files, _, _ = socket.recv_fds(there, _LONGEST, 2)
        arguments, where, environment = json.loads(said)
        command = fork(arguments, files[1], environment, files[0], where)
        for file in files:
            os.close(file)
        there.sendall(str(command.pid).encode())
        code = command.wait()
        there.sendall(str(code if code >= 0 else 128 - code).encode())
