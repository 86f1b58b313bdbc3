"""The decision on one request, whatever protocol it came by: who it is, whether they may, for which tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from pilothouse.server.access.auditing import AuditLog
from pilothouse.server.access.callers import ANYBODY, DEFAULT_TENANT, TENANT, Caller, secret_of
from pilothouse.server.access.limiting import Limiter, Limits, Rates
from pilothouse.server.access.scopes import READ, allows
from pilothouse.server.access.tokens import TokenStore


class RefusedError(Exception):
    """A request that does not go on; `status` is HTTP's, `caller` who it was as far as that is known."""

    def __init__(
        self, status: int, code: str, message: str, caller: Caller | None = None, retry_after: float = 0.0
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.caller, self.retry_after = status, code, caller, retry_after


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who asks, for which tenant, and what they have to hold to."""

    caller: Caller
    tenant: str
    limits: Limits

    @property
    def pays(self) -> bool:
        """Whether its bytes are counted."""
        return any(rates.bytes for _, rates in self.limits)


@dataclass(frozen=True, slots=True)
class Access:
    """What decisions are made from.

    `tenants` has what each tenant that there is may have in all, `each` what one caller may. `external` is the host
    that browsers know this server by, when a proxy stands before it.
    """

    tokens: TokenStore
    audit: AuditLog
    required: bool = False
    read_only: bool = False
    external: str = ""
    tenants: Mapping[str, Rates] = field(default_factory=lambda: {DEFAULT_TENANT: Rates()})
    each: Rates = field(default_factory=Rates)
    limiter: Limiter = field(default_factory=Limiter)

    @property
    def open(self) -> bool:
        """Whether there is nothing to decide: everybody may do everything, as often as they like."""
        one = len(self.tenants) == 1 and not (self.each.requests or self.each.bytes)
        return one and not self.required and not self.read_only

    def at_once(self, headers: Mapping[str, str]) -> bool:
        """Whether `admit` can decide without asking the database."""
        secret, _ = secret_of(headers)
        return not secret or self.tokens.remembers(secret)

    def caller(self, headers: Mapping[str, str]) -> Caller | None:
        """Who asks; None when nobody that is known."""
        secret, in_cookie = secret_of(headers)
        found = self.tokens.caller(secret) if secret else None
        if found and found.session != in_cookie:
            found = None
        return found or (None if self.required else ANYBODY)

    def admit(self, headers: Mapping[str, str], wanted: str) -> Admitted:
        """Let a request through that needs the scope `wanted`, or raise `RefusedError`. Header names in lower case."""
        try:
            caller = self.caller(headers)
        except SQLAlchemyError:
            message = "the control plane's database does not answer, so that nobody can be known"
            raise RefusedError(503, "unavailable", message, retry_after=5) from None
        if caller is None:
            raise RefusedError(401, "unauthorized", "this needs a token: `authorization: Bearer pht_...`")
        if not allows(caller.scopes, wanted):
            may = ", ".join(sorted(caller.scopes))
            raise RefusedError(403, "forbidden", f"{caller.name} may {may}; this needs {wanted}", caller)
        if self.read_only and wanted != READ:
            raise RefusedError(403, "read_only", "this server is read-only", caller)
        tenant = self._tenant(caller, headers.get(TENANT, "").strip())
        limits = (f"{tenant}/{caller.name}", self.each), (tenant, self.tenants[tenant])
        admitted = Admitted(caller, tenant, limits)
        if wait := self.limiter.wait(limits):
            message = f"{caller.name}, or tenant {tenant}, asks or sends more than it may; try again in {wait:.1f} s"
            raise RefusedError(429, "too_many", message, caller, wait)
        return admitted

    def _tenant(self, caller: Caller, named: str) -> str:
        if len(self.tenants) == 1:
            # Clients of Loki and Mimir name one whether or not there are several.
            return DEFAULT_TENANT
        tenant = named or caller.tenant or DEFAULT_TENANT
        # The same words whether there is such a tenant or not.
        if tenant not in self.tenants or (caller.tenant and tenant != caller.tenant):
            raise RefusedError(403, "unknown_tenant", f"{TENANT}: {caller.name} has no such tenant", caller)
        return tenant
