"""The doors through which forges tell what happened: signature, size and shape are checked, then the inbox has it."""

from pilothouse.delivery.webhooks.door import Door
from pilothouse.delivery.webhooks.parcel import DeliveryError, Parcel, Reading

__all__ = ["DeliveryError", "Door", "Parcel", "Reading"]
