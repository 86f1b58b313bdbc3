import type { Scope } from "../../settings/tokens";

export const tokens = {
  title: "Tokens",
  lead: "What a program or a person shows to be let in. A token is told once; only its hash is kept.",
  required: "This server asks everybody for a token.",
  open: "This server asks nobody for a token. PILOTHOUSE_REQUIRE_TOKENS=true makes it ask.",
  none: "There is no token yet.",
  scopes: {
    ingest: "send telemetry",
    read: "read",
    act: "read and act",
    admin: "everything",
  } as Record<Scope, string>,
  until: "until",
  revoke: (name: string) => `Take ${name} back`,
  reallyRevoke: (name: string) => `Really take ${name} back`,
  make: "Make a token",
  name: "Known as",
  may: "It may",
  goodFor: "Good for (empty: for ever)",
  once: "This is shown once. Keep it where secrets are kept.",
};
