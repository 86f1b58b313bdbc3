"""What a service of the shop reads from its environment."""

import os
import socket
from dataclasses import dataclass


class SettingsError(ValueError):
    """A variable of the environment is missing or has no meaning; the message names it."""


@dataclass(frozen=True)
class Settings:
    """One service's settings, besides the OpenTelemetry SDK's own `OTEL_*` variables.

    listen: `HOST:PORT`, or `fd:N` for a listening socket that the parent process opened.
    catalog, checkout, payments: base addresses of the services behind this one ("" where none is needed).
    pricing: the file with the pricing of this version of checkout; "" in the other services.
    profiler: base address of a Pyroscope receiver, "" for no profiler.
    """

    listen: str
    catalog: str
    checkout: str
    payments: str
    pricing: str
    profiler: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Reads `SHOP_*` and `PYROSCOPE_SERVER_ADDRESS`."""
        return cls(
            listen=os.environ.get("SHOP_LISTEN", "127.0.0.1:8080"),
            catalog=os.environ.get("SHOP_CATALOG", ""),
            checkout=os.environ.get("SHOP_CHECKOUT", ""),
            payments=os.environ.get("SHOP_PAYMENTS", ""),
            pricing=os.environ.get("SHOP_PRICING", ""),
            profiler=os.environ.get("PYROSCOPE_SERVER_ADDRESS", ""),
        )

    def socket(self) -> socket.socket:
        """The listening socket of `listen`. Raises SettingsError when it cannot be had."""
        kind, _, number = self.listen.rpartition(":")
        try:
            if not kind:
                raise ValueError("write HOST:PORT or fd:N")
            if kind == "fd":
                return socket.socket(fileno=int(number))
            return socket.create_server((kind, int(number)))
        except (OSError, ValueError) as error:
            raise SettingsError(f"SHOP_LISTEN={self.listen!r}: {error}") from error
