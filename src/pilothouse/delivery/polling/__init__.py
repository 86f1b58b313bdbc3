"""Asking forges what happened, where none of their webhooks can reach this server: two looks, compared, are events."""

from pilothouse.delivery.polling.comparing import events
from pilothouse.delivery.polling.poller import Poller
from pilothouse.delivery.polling.seen import SeenPull, SeenRepository

__all__ = ["Poller", "SeenPull", "SeenRepository", "events"]
