"""A busy machine resets connections and says 503: what may be asked again is asked again, and nothing else."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from pilothouse.demo import asking
from pilothouse.demo.asking import ask
from pilothouse.demo.failures import DemoError
from pilothouse.demo.loop.forge import Person

RESET, BUSY, DONE = "", "503 Service Unavailable", "200 OK"
Answering = Callable[..., str]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """Starts what gives these answers, one a connection; its address."""
    monkeypatch.setattr(asking, "PAUSE_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve(answers: tuple[str, ...]) -> None:
            with contextlib.suppress(OSError):  # what is not asked for ends with the test
                for status in answers:
                    connection, _ = listening.accept()
                    with connection:
                        connection.recv(65536)
                        if status == RESET:
                            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        else:
                            said = f"HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
                            connection.sendall(said.encode())

        def started(*answers: str) -> str:
            threading.Thread(target=serve, args=(answers,), daemon=True).start()
            return f"http://127.0.0.1:{listening.getsockname()[1]}"

        yield started


def test_a_question_is_asked_until_there_is_an_answer(answering: Answering) -> None:
    assert ask("GET", answering(RESET, BUSY, RESET, DONE)).status_code == 200


def test_what_may_have_been_done_is_not_done_twice(answering: Answering) -> None:
    with pytest.raises(httpx.TransportError):
        ask("POST", answering(RESET, DONE))


def test_what_was_not_done_or_may_be_done_twice_is_said_again(answering: Answering) -> None:
    assert ask("POST", answering(BUSY, DONE)).status_code == 200
    assert ask("POST", answering(RESET, DONE), again=True).status_code == 200


def test_nobody_asks_what_has_died(answering: Answering) -> None:
    def dead() -> None:
        raise DemoError("pilothouse ended")

    with pytest.raises(DemoError, match="pilothouse ended"):
        Person("mei", "secret", answering(RESET), dead).get("/repositories")


def test_the_time_to_ask_again_ends(answering: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(DemoError, match="the forge does not answer"):
        Person("mei", "secret", answering(RESET)).get("/repositories")
    assert ask("GET", answering(BUSY)).status_code == 503
