"""Why a demo ends early.

DemoError: it cannot go on; the message says why
  AddressTakenError
  ChildDiedError
Stopped: the user or the system asked it to stop
"""


class DemoError(Exception):
    """The demo cannot go on. The message is for the user."""


class AddressTakenError(DemoError):
    """An address that the user asked for cannot be listened on."""


class ChildDiedError(DemoError):
    """A process of the demo ended on its own."""

    def __init__(self, name: str, code: int, log: str) -> None:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        super().__init__(f"{name} {how}. The end of its log:\n{log or '(nothing)'}")


class Stopped(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal
