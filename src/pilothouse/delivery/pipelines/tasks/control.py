"""How a run is told to end before its time."""

from __future__ import annotations

import asyncio


class Control:
    """Ends a TaskRun, or one attempt of it (`parent` is then that of the whole): the first reason given holds."""

    def __init__(self, parent: Control | None = None) -> None:
        self._asked = asyncio.Event()
        self._children: list[Control] = []
        self.reason = ""
        self.message = ""
        if parent is not None:
            parent._children.append(self)
            if parent.asked:
                self.stop(parent.reason, parent.message)

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def stop(self, reason: str, message: str) -> None:
        """End it, with Tekton's reason (`TaskRunCancelled`, `TaskRunTimeout`) and a sentence."""
        if self.asked:
            return
        self.reason, self.message = reason, message
        self._asked.set()
        for child in self._children:
            child.stop(reason, message)

    async def wait(self) -> None:
        """Until somebody asks."""
        await self._asked.wait()
