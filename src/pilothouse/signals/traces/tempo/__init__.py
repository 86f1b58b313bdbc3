"""Tempo's HTTP API for questions, under `/tempo`."""

from pilothouse.signals.traces.tempo.api import routes

__all__ = ["routes"]
