"""Pilothouse: watches every release of a service on its way to production and in it."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("pilothouse")
except PackageNotFoundError:  # running from a source tree that was not installed
    __version__ = "0.0.0"
