"""Who may do what: tokens with scopes, sign-in by OpenID Connect, limits, tenants, and the record of acts.

Every request over HTTP and gRPC is admitted here before a handler sees it. SECURITY.md has the threat model.
"""
