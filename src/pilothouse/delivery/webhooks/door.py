"""One forge's webhooks: genuine or refused, then read, then kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pilothouse.delivery.forges.remote.reading import ShapeError, document
from pilothouse.delivery.inbox import Inbox
from pilothouse.delivery.webhooks import forgejo, github, gitlab
from pilothouse.delivery.webhooks.parcel import DeliveryError, Parcel, Reading

READERS: dict[str, ModuleType] = {"github": github, "gitlab": gitlab, "forgejo": forgejo, "gitea": forgejo}
_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Door:
    """Where the webhooks of a forge come in; `secret` gives its secret, or the old and the new one while both hold.

    `allowed` are the repositories whose events are taken; empty: all that the secret's holder sends.
    """

    forge: str
    kind: str
    secrets: Callable[[], tuple[str, ...]]
    allowed: frozenset[str] = frozenset()

    async def take(self, parcel: Parcel, inbox: Inbox) -> dict[str, Any]:
        """Take a delivery; what is answered. Raises `DeliveryError` for one that is not taken."""
        reader = READERS[self.kind]
        self._check(reader, parcel)
        identity = reader.delivery(parcel)
        if not identity or len(identity) > _LONGEST_ID or not identity.isprintable():
            raise DeliveryError("the delivery has no id in its headers", field="delivery")
        digest = hashlib.sha256(parcel.body).hexdigest()
        reading = self._read(reader, parcel)
        if not reading.events:
            new = await inbox.ignore(self.forge, identity, reading.kind, reading.ignored, digest)
            return {"delivery": identity, "taken": 0, "ignored": reading.ignored} | ({} if new else {"seen": True})
        new = await inbox.put_all(reading.events, digest)
        return {"delivery": identity, "taken": len(reading.events) if new else 0} | ({} if new else {"seen": True})

    def _check(self, reader: ModuleType, parcel: Parcel) -> None:
        secrets = self.secrets()
        if not secrets:
            raise DeliveryError(f"no webhook_secret is configured for {self.forge}", 403, "no_secret")
        for last, secret in enumerate(secrets, 1):
            try:
                reader.check(parcel, secret)
                return
            except DeliveryError:
                if last == len(secrets):
                    raise

    def _read(self, reader: ModuleType, parcel: Parcel) -> Reading:
        try:
            reading: Reading = reader.read(parcel, document(parcel.body), self.forge)
        except ShapeError as error:
            field = str(error).partition(":")[0]
            raise DeliveryError(str(error), 400, "bad_shape", field) from None
        if self.allowed and any(one.repository.lower() not in self.allowed for one in reading.events):
            return Reading(reading.kind, ignored="the repository is not among those that are configured")
        return reading
