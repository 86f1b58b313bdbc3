"""What a caller of the signals can get wrong.

SignalError
 +-- BadRequestError    the question is wrong; `field` names the parameter
 +-- NotFoundError      the thing asked for is not there
 +-- OverloadedError    not now; `retry_after` seconds later perhaps
"""


class SignalError(Exception):
    """Something that the caller is told in these words."""


class BadRequestError(SignalError):
    """The request is wrong in `field`."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class NotFoundError(SignalError):
    """What was asked for is not there."""


class OverloadedError(SignalError):
    """Nothing was accepted; the same request may be sent again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
