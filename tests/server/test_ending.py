"""A server that ends while it delivers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from pilothouse.server.config import Config
from pilothouse.server.delivery import LiveDelivery


class _Forge:
    is_on = True

    def listen(self, sink: object) -> None:
        """Nothing is told here."""


class _Acting:
    """What acts, and is in the middle of something that tells of it: it is waited for."""

    def __init__(self, live: LiveDelivery) -> None:
        self.live, self.told = live, False

    def close(self) -> None:
        telling = threading.Thread(target=self.live.inbox, daemon=True)
        telling.start()
        telling.join(60)
        self.told = not telling.is_alive()


def test_what_is_being_done_may_tell_the_inbox_while_it_is_waited_for(tmp_path: Path) -> None:
    forge: Any = _Forge()
    live = LiveDelivery(Config(data=tmp_path), f"sqlite:///{tmp_path}/control.db", forge, None)
    acting: Any = _Acting(live)
    inbox, live._server = live.inbox(), acting
    live.close()
    assert acting.told
    assert live.inbox() is inbox, "none is opened again"
